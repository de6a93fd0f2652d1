import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import type { AttemptId } from "@dispatch/core";
import type { TailAnswer, TailFile } from "@dispatch/protocol";
import type { AttemptFiles } from "../attempt-files.ts";
import { hasCode } from "../durable-files.ts";
import { isContinuation } from "../process/output-tail.ts";
import { filesOf, type Host, refuse } from "./host.ts";
import { capturePane } from "./tmux.ts";

const chunkBytes = 256 * 1024;

/** A piece of a log. A round that was read to its end is left for the next one, when there is one. */
export async function tailLog(host: Host, attempt: AttemptId, file: TailFile, from: number, round?: number): Promise<TailAnswer> {
  const files = filesOf(host, attempt);
  if (file !== "agent" && file !== "verify" && file !== "pane") throw refuse(`not a log: ${JSON.stringify(file)}`);
  if (!Number.isSafeInteger(from)) throw refuse(`not an offset: ${JSON.stringify(from)}`);
  const newest = newestRound(files, file === "verify" ? files.verifyLog : files.agentLog);
  if (file === "pane") return { text: await capturePane(host, attempt), next: 0, round: newest };
  const pathOf = file === "agent" ? files.agentLog : files.verifyLog;
  const asked = round === undefined || round < 1 ? newest : Math.min(round, newest);
  if (asked === 0) return { text: "", next: 0, round: 0 };
  const piece = readPiece(pathOf(asked), from);
  if (piece.text === "" && round !== undefined && asked < newest) return { ...readPiece(pathOf(asked + 1), 0), round: asked + 1 };
  return { ...piece, round: asked };
}

function newestRound(files: AttemptFiles, pathOf: (round: number) => string): number {
  let round = 0;
  while (existsSync(pathOf(round + 1)) || existsSync(files.prompt(round + 2))) round++;
  return round;
}

/** Cut between characters, so that pieces can be put together again. */
function readPiece(path: string, from: number): { text: string; next: number } {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return { text: "", next: 0 };
    throw error;
  }
  try {
    const size = fstatSync(fd).size;
    const begin = from < 0 ? Math.max(0, size + from) : Math.min(from, size);
    const chunk = Buffer.alloc(Math.min(chunkBytes, size - begin));
    const got = readSync(fd, chunk, 0, chunk.length, begin);
    let start = 0;
    if (from < 0 && begin > 0) while (start < got && start < 4 && isContinuation(chunk[start])) start++;
    const end = wholeCharacters(chunk.subarray(0, got));
    return { text: chunk.toString("utf8", start, end), next: begin + end };
  } finally {
    closeSync(fd);
  }
}

/** Length without a character at the end whose bytes are not all there. Bytes that are no UTF-8 are taken as they are. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (isContinuation(byte)) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
