import { execFile } from "node:child_process";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NodeId } from "@dispatch/core";
import { type HostKey, hostKeyOf } from "./host-key.ts";

/** The name under which the system's ssh looks up the accepted key of a node. */
export function hostAlias(node: NodeId): string {
  return `dispatch-${node}`;
}

/** Where the accepted key of a node lies in full. */
export function knownHostsFile(dir: string, node: NodeId): string {
  return join(dir, node);
}

export async function keepHostKey(dir: string, node: NodeId, key: HostKey): Promise<void> {
  const file = knownHostsFile(dir, node);
  const line = `${hostAlias(node)} ${key.type} ${key.blob.toString("base64")}\n`;
  if ((await readFile(file, "utf8").catch(() => "")) === line) return;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeFile(`${file}.tmp`, line, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

/** The keys of a known_hosts file, in its order. */
export async function readKnownHosts(file: string): Promise<HostKey[]> {
  return keysIn(await readFile(file, "utf8").catch(() => ""));
}

/** What the user's own known_hosts files hold of a host, hashed entries included; needs ssh-keygen. */
export async function userKnows(files: readonly string[], hostname: string, port: number): Promise<HostKey[]> {
  const name = port === 22 ? hostname : `[${hostname}]:${port}`;
  const found = await Promise.all(files.map((file) => findInFile(file, name)));
  return found.flatMap(keysIn);
}

function findInFile(file: string, name: string): Promise<string> {
  return new Promise((resolve) => {
    execFile("ssh-keygen", ["-F", name, "-f", file], { encoding: "utf8", timeout: 10_000 }, (error, stdout) => resolve(error === null ? stdout : ""));
  });
}

function keysIn(text: string): HostKey[] {
  return text.split("\n").flatMap((line) => {
    const [, , base64] = /^(?!#|@)(\S+) \S+ (\S+)/.exec(line.trim()) ?? [];
    return base64 === undefined ? [] : [hostKeyOf(Buffer.from(base64, "base64"))];
  });
}
