import { readFile } from "node:fs/promises";
import ssh2, { type AgentAuthMethod, type IdentityCallback, type ParsedKey, type PublicKeyAuthMethod } from "ssh2";
import type { ResolvedTarget } from "./resolve-target.ts";

/** What can be shown to a server, and what could not be used. */
export interface Identities {
  methods: readonly (AgentAuthMethod | PublicKeyAuthMethod)[];
  /** Key files that ask for a passphrase, which only an agent can give. */
  encrypted: readonly string[];
  /** Key files of hardware tokens, which ssh2 cannot use. */
  hardware: readonly string[];
}

/** Agent first, as ssh does it, then key files. */
export async function gatherIdentities(target: ResolvedTarget): Promise<Identities> {
  const { user: username } = target;
  const files = await Promise.all(target.identityFiles.map(readIdentity));
  const known = files.filter((file) => file !== undefined);
  const own = known.flatMap(({ publicKey }) => (publicKey === undefined ? [] : [publicKey]));
  const methods: (AgentAuthMethod | PublicKeyAuthMethod)[] = [];
  if (target.agent !== undefined) {
    methods.push({ type: "agent", username, agent: new PickyAgent(target.agent, own, target.identitiesOnly) });
  }
  for (const { key } of known) if (key !== undefined) methods.push({ type: "publickey", username, key });
  return {
    methods,
    encrypted: known.filter((file) => file.kind === "encrypted").map((file) => file.path),
    hardware: known.filter((file) => file.kind === "hardware").map((file) => file.path),
  };
}

interface IdentityFile {
  path: string;
  kind: "plain" | "encrypted" | "hardware" | "unknown";
  key?: Buffer;
  /** In the form of the wire. */
  publicKey?: Buffer | undefined;
}

async function readIdentity(path: string): Promise<IdentityFile | undefined> {
  const content = await readFile(path).catch(() => undefined);
  const beside = await readFile(`${path}.pub`, "utf8").catch(() => undefined);
  if (content === undefined && beside === undefined) return undefined;
  const [type = "", base64 = ""] = (beside ?? "").trim().split(/\s+/);
  const fromFile = base64 === "" ? undefined : Buffer.from(base64, "base64");
  if (type.startsWith("sk-")) return { path, kind: "hardware", publicKey: fromFile };
  if (content === undefined) return { path, kind: "unknown", publicKey: fromFile };
  const parsed = ssh2.utils.parseKey(content);
  if (!(parsed instanceof Error)) {
    const [first] = [parsed].flat() as ParsedKey[];
    const publicKey = first?.getPublicSSH();
    // A file may hold the public half alone, whose private half the agent holds.
    return first?.isPrivateKey() === true ? { path, kind: "plain", key: content, publicKey } : { path, kind: "unknown", publicKey };
  }
  return { path, kind: /encrypted|passphrase/i.test(parsed.message) ? "encrypted" : "unknown", publicKey: fromFile };
}

/** Shows the keys that the configuration names first, or them alone: servers hang up after a few that they do not know. */
class PickyAgent extends ssh2.OpenSSHAgent {
  readonly #wanted: readonly Buffer[];
  readonly #only: boolean;

  constructor(socket: string, wanted: readonly Buffer[], only: boolean) {
    super(socket);
    this.#wanted = wanted;
    this.#only = only;
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    super.getIdentities((error, keys) => {
      if (error || keys === undefined) return done(error, keys);
      const isWanted = (key: (typeof keys)[number]): boolean =>
        "getPublicSSH" in key && this.#wanted.some((wanted) => wanted.equals(key.getPublicSSH()));
      const first = keys.filter(isWanted);
      done(undefined, this.#only ? first : [...first, ...keys.filter((key) => !isWanted(key))]);
    });
  }
}
