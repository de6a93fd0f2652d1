import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FactoryError } from "@dispatch/core";
import { classifySshError } from "./classify-ssh-error.ts";
import { type HostKey, readPin } from "./host-key.ts";
import { readKnownHosts } from "./known-hosts.ts";
import { needsOpenssh } from "./needs-openssh.ts";
import { resolveTarget } from "./resolve-target.ts";
import type { SshAccess } from "./ssh-access.ts";
import { knownHostsOption, pipeArguments } from "./ssh-command.ts";

type Asked = Pick<SshAccess, "node" | "target" | "configFile" | "env" | "hostKey" | "signal">;

const patienceMs = 40_000;

/**
 * Asks a machine for its host key and hangs up before anything of ours is shown to it.
 * The key has proven itself in the key exchange; whether it is the right one is for a person to say.
 */
export async function readHostKey(access: Asked, transport: "auto" | "ssh2" | "openssh"): Promise<HostKey> {
  if (transport === "openssh") return await askWithSystem(access);
  if (transport === "auto" && (await needsOpenssh(await resolveTarget(access), access)).length > 0) return await askWithSystem(access);
  return await askWithLibrary(access);
}

class KeySeen extends Error {}

async function askWithLibrary(access: Asked): Promise<HostKey> {
  const target = await resolveTarget(access);
  let seen: HostKey | undefined;
  const verify = (key: HostKey): void => {
    seen = key;
    throw new KeySeen();
  };
  const keyType = access.hostKey === undefined ? undefined : readPin(access.hostKey).type;
  const { connectClient } = await import("./connect-client.ts");
  const asking = connectClient({ node: access.node, target, access, verify, keyType });
  await asking.then(
    (client) => client.end(),
    (error: unknown) => {
      if (!(error instanceof KeySeen)) throw error;
    },
  );
  if (seen === undefined) throw new FactoryError("NODE_FAILED", `node ${access.node} showed no host key`);
  return seen;
}

/** The system's ssh notes the key in a file of its own, after the key exchange and before the authentication, which is left out. */
async function askWithSystem(access: Asked): Promise<HostKey> {
  const folder = await mkdtemp(join(tmpdir(), "dispatch-key-"));
  try {
    const file = join(folder, "known_hosts");
    const type = access.hostKey === undefined ? undefined : readPin(access.hostKey).type;
    const options = [
      "StrictHostKeyChecking=accept-new",
      knownHostsOption(file),
      "GlobalKnownHostsFile=/dev/null",
      "KnownHostsCommand=none",
      "VerifyHostKeyDNS=no",
      "HashKnownHosts=no",
      "HostKeyAlias=asked",
      "ControlPath=none",
      "PreferredAuthentications=none",
      ...(type === undefined ? [] : [`HostKeyAlgorithms=${type === "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type}`]),
    ];
    const said = await runSsh([...pipeArguments(access, options), "true"], access);
    const [key] = await readKnownHosts(file);
    if (key !== undefined) return key;
    throw classifySshError({ node: access.node, where: access.target, said });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runSsh(args: readonly string[], { env, signal }: Asked): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      "ssh",
      args,
      { env: { ...env }, encoding: "utf8", timeout: patienceMs, ...(signal === undefined ? {} : { signal }) },
      (error, _stdout, stderr) => {
        if ((error as NodeJS.ErrnoException | null)?.code === "ENOENT") reject(sshMissing());
        else resolve(stderr.trim());
      },
    );
  });
}

export function sshMissing(): FactoryError {
  return new FactoryError("TOOL_MISSING", "ssh is not on the PATH", { fault: "user", hint: "install the OpenSSH client, or set transport to ssh2" });
}
