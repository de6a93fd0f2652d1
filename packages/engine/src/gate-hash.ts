import { createHash } from "node:crypto";
import type { VerifyCommand } from "@dispatch/core";

/** A short name for the commands that judged a tree: 16 hex digits of their sha256. */
export function gateHash(verify: readonly VerifyCommand[]): string {
  const text = JSON.stringify(verify.map((command) => [command.run, command.cwd, command.env]));
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
