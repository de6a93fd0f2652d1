import { existsSync, mkdirSync } from "node:fs";
import type { AttemptId } from "@dispatch/core";
import { replaceFile, syncFolder } from "../durable-files.ts";
import { filesOf, type Host, refuse } from "./host.ts";

const textLimit = 256 * 1024;

/** Leaves a notice for an agent. It appears whole, is on disk when this returns, and is never written over. */
export function tellAttempt(host: Host, attempt: AttemptId, n: number, text: string): void {
  const files = filesOf(host, attempt);
  if (!Number.isSafeInteger(n) || n < 1) throw refuse(`not the number of a notice: ${JSON.stringify(n)}`);
  if (typeof text !== "string" || text.length > textLimit) throw refuse("tell needs a text of at most 256 Ki characters");
  if (existsSync(files.notice(n))) return;
  mkdirSync(files.notices, { recursive: true, mode: 0o700 });
  syncFolder(files.dir);
  replaceFile(files.notice(n), text, true);
}
