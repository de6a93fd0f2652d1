import { closeSync, constants, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import type { AttemptOutcome, WrapperFact } from "@dispatch/core";
import { decodeLine, encodeLine } from "@dispatch/protocol";
import { hasCode, readFileIfAny, replaceFile } from "./durable-files.ts";

/** One line of events.ndjson. */
export interface LoggedFact {
  seq: number;
  /** Milliseconds since the epoch. */
  at: number;
  fact: WrapperFact;
}

/** Appends facts, each on disk before the call returns. A failed append leaves the file as it was and may be repeated. */
export interface EventLog {
  append(at: number, fact: WrapperFact): LoggedFact;
}

/**
 * Opens the log of an attempt for its only writer: the one wrapper that claimed the attempt. It is there already, since
 * whoever took the job made it before; that it is there is durable with the claim.
 */
export function openEventLog(path: string): EventLog {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  let length = 0;
  let seq = 0;
  return {
    append(at, fact) {
      const logged: LoggedFact = { seq: seq + 1, at, fact };
      const bytes = Buffer.from(encodeLine(logged));
      try {
        for (let sent = 0; sent < bytes.length; ) sent += writeSync(fd, bytes, sent, bytes.length - sent, length + sent);
        fsyncSync(fd);
      } catch (error) {
        ftruncateSync(fd, length);
        throw error;
      }
      length += bytes.length;
      seq += 1;
      return logged;
    },
  };
}

/** The complete events from a byte offset on, and the offset after them. A line without its end is not there yet. */
export function readEvents(path: string, offset: number): { facts: LoggedFact[]; next: number } {
  const bytes = readFrom(path, offset);
  const end = bytes.lastIndexOf(10) + 1;
  const facts: LoggedFact[] = [];
  for (const line of bytes.toString("utf8", 0, end).split("\n")) {
    const value = line === "" ? undefined : decodeLine(line);
    if (value === undefined) continue;
    facts.push(value as unknown as LoggedFact);
  }
  return { facts, next: offset + end };
}

export function hasEnded(facts: readonly LoggedFact[]): boolean {
  return facts.some((logged) => logged.fact.type === "attempt-ended");
}

/**
 * Ends the log of an attempt whose wrapper is dead. A line that was cut off by the death is dropped.
 * The end comes after all that was seen, also when the node has lost its files.
 * The file is replaced as a whole, so two hosts that do this at once still leave one end.
 */
export function closeEventLog(path: string, outcome: AttemptOutcome, seen: { at: number; cursor: number }): void {
  const text = readFileIfAny(path) ?? "";
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const { facts } = readEvents(path, 0);
  if (hasEnded(facts)) return;
  const seq = Math.max(facts.at(-1)?.seq ?? 0, seen.cursor) + 1;
  replaceFile(path, whole + encodeLine({ seq, at: seen.at, fact: { type: "attempt-ended", outcome } } satisfies LoggedFact), true);
}

function readFrom(path: string, offset: number): Buffer {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return Buffer.alloc(0);
    throw error;
  }
  try {
    const chunks: Buffer[] = [];
    for (let at = offset; ; ) {
      const chunk = Buffer.alloc(64 * 1024);
      const got = readSync(fd, chunk, 0, chunk.length, at);
      if (got === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, got));
      at += got;
    }
  } finally {
    closeSync(fd);
  }
}
