import { execFile } from "node:child_process";
import { homedir, hostname, userInfo } from "node:os";
import { isAbsolute, join } from "node:path";
import { FactoryError } from "@dispatch/core";
import { requireTarget } from "./parse-target.ts";
import type { SshAccess } from "./ssh-access.ts";

/** What the user's SSH configuration says of a target. */
export interface ResolvedTarget {
  alias: string;
  hostname: string;
  port: number;
  user: string;
  /** Absolute, whether they exist or not, in the order in which they are to be tried. */
  identityFiles: readonly string[];
  identitiesOnly: boolean;
  /** Socket of the agent. */
  agent: string | undefined;
  jumps: readonly string[];
  knownHostsFiles: readonly string[];
  connectTimeoutMs: number;
  /** Settings that only the system's ssh understands. */
  needsOpenssh: readonly string[];
}

const defaultTimeoutMs = 20_000;

/** Asks `ssh -G`, which knows Include, Match and every default. Without an ssh client the target must say everything itself. */
export async function resolveTarget(access: Pick<SshAccess, "target" | "configFile" | "env">): Promise<ResolvedTarget> {
  const named = requireTarget(access.target);
  const args = [
    ...(access.configFile === undefined ? [] : ["-F", access.configFile]),
    ...(named.user === undefined ? [] : ["-l", named.user]),
    ...(named.port === undefined ? [] : ["-p", String(named.port)]),
  ];
  const text = await askSsh(["-G", ...args, "--", named.host], access.env);
  const settings = text === undefined ? undefined : readSettings(text);
  return resolveSettings(named.host, settings ?? withoutClient(named.host, named.user, named.port), access.env);
}

type SshSettings = ReadonlyMap<string, readonly string[]>;

function readSettings(text: string): SshSettings {
  const settings = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [, key, value] = /^(\S+) (.*)$/.exec(line.trim()) ?? [];
    if (key === undefined || value === undefined) continue;
    settings.set(key, [...(settings.get(key) ?? []), value]);
  }
  return settings;
}

function resolveSettings(alias: string, settings: SshSettings, env: SshAccess["env"]): ResolvedTarget {
  const one = (key: string): string | undefined => {
    const value = settings.get(key)?.[0];
    return value === undefined || value === "none" ? undefined : value;
  };
  const hostname = one("hostname") ?? alias;
  const port = Number(one("port") ?? 22);
  const user = one("user") ?? userInfo().username;
  const expand = (text: string): string => expandPath(text, { alias, hostname, port, user });
  const timeout = Number(one("connecttimeout"));
  return {
    alias,
    hostname,
    port,
    user,
    identityFiles: (settings.get("identityfile") ?? []).filter((file) => file !== "none").map(expand),
    identitiesOnly: one("identitiesonly") === "yes",
    agent: agentOf(settings.get("identityagent")?.[0], env, expand),
    // As ssh does it: a machine that is named as the way to itself is reached directly.
    jumps:
      one("proxyjump")
        ?.split(",")
        .filter((jump) => jump !== alias) ?? [],
    knownHostsFiles: ["userknownhostsfile", "globalknownhostsfile"].flatMap((key) => one(key)?.split(" ").map(expand) ?? []),
    connectTimeoutMs: timeout > 0 ? timeout * 1000 : defaultTimeoutMs,
    needsOpenssh: [
      ...(one("proxycommand") === undefined ? [] : ["ProxyCommand"]),
      ...(one("pkcs11provider") === undefined ? [] : ["PKCS11Provider"]),
      ...(one("certificatefile") === undefined ? [] : ["CertificateFile"]),
    ],
  };
}

function agentOf(asked: string | undefined, env: SshAccess["env"], expand: (text: string) => string): string | undefined {
  if (asked === "none") return undefined;
  if (asked === undefined || asked === "SSH_AUTH_SOCK") return env["SSH_AUTH_SOCK"];
  if (asked.startsWith("$")) return env[asked.replace(/^\$\{?(\w+)\}?$/, "$1")];
  return expand(asked);
}

/** `ssh -G` leaves `~` and the %-tokens of paths as they were written. */
function expandPath(text: string, target: { alias: string; hostname: string; port: number; user: string }): string {
  const me = userInfo();
  const tokens: Readonly<Record<string, string>> = {
    "%": "%",
    d: me.homedir,
    h: target.hostname,
    i: String(me.uid),
    k: target.alias,
    L: hostname().split(".")[0] ?? "",
    l: hostname(),
    n: target.alias,
    p: String(target.port),
    r: target.user,
    u: me.username,
  };
  const path = text
    .replace(/^"(.*)"$/, "$1")
    .replace(/^~(?=\/|$)/, me.homedir)
    .replace(/%(.)/g, (whole, token: string) => tokens[token] ?? whole);
  return isAbsolute(path) ? path : join(me.homedir, path);
}

function withoutClient(host: string, user: string | undefined, port: number | undefined): SshSettings {
  const folder = join(homedir(), ".ssh");
  return new Map([
    ["hostname", [host]],
    ["user", [user ?? userInfo().username]],
    ["port", [String(port ?? 22)]],
    ["identityfile", ["id_ed25519", "id_ecdsa", "id_rsa"].map((name) => join(folder, name))],
    ["userknownhostsfile", [join(folder, "known_hosts")]],
  ]);
}

/** Undefined when there is no ssh client. */
function askSsh(args: readonly string[], env: SshAccess["env"]): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    execFile("ssh", args, { env: { ...env }, timeout: 20_000, encoding: "utf8" }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return resolve(undefined);
      const said = stderr.trim().split("\n").at(-1) ?? "";
      reject(
        new FactoryError("CONFIG_INVALID", `the SSH configuration of ${args.at(-1)} cannot be read: ${said === "" ? error.message : said}`, {
          fault: "user",
          hint: `mend it; ssh -G ${args.at(-1)} shows what is wrong`,
          cause: error,
        }),
      );
    });
  });
}
