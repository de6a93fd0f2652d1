import { FactoryError } from "@dispatch/core";
import { runToEnd } from "./run-to-end.ts";
import type { Connection } from "./transport.ts";

/** Fixed text; the path is its argument and never part of it. */
const script = 'umask 077 && mkdir -p "$(dirname "$1")" && cat >"$1"';

/** Writes a file on a node through a channel, since not every sshd serves sftp. */
export async function uploadFile(connection: Pick<Connection, "run">, path: string, content: Uint8Array): Promise<void> {
  const { code, said, because } = await runToEnd(connection, ["sh", "-c", script, "upload", path], content);
  if (code === 0) return;
  const full = /no space left|quota exceeded/i.test(said);
  throw new FactoryError(full ? "DISK_FULL" : "NODE_FAILED", `${path} could not be written on the node: ${said.trim() || because}`, {
    fault: full ? "user" : "dependency",
    retry: "later",
    ...(full ? { hint: "make room on the disk of the node; it is tried again" } : {}),
  });
}
