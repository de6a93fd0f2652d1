import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { FactoryError } from "@dispatch/core";
import { diskFull, saysDiskFull } from "../disk-room.ts";

/**
 * One pipe for both outputs of a program. A named pipe, since what Node makes by itself is a socket:
 * with that `echo >/dev/stderr` fails, and the order between the two outputs is lost.
 */
export interface OutputPipe {
  /** To be given to the program, then closed by `handOver`. */
  writeEnd: number;
  /** Closes our write end and begins to read; the socket ends when the last writer is gone. */
  handOver(): Socket;
}

export function makeFifo(path: string): void {
  try {
    execFileSync("mkfifo", ["-m", "600", path], { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, LC_ALL: "C" } });
  } catch (cause) {
    const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr) : "";
    if (saysDiskFull(said)) throw diskFull(`making ${path}`, cause);
    if (/File exists/.test(said)) return;
    throw new FactoryError("NODE_FAILED", `mkfifo ${path}: ${said.trim() || String(cause)}`, { cause });
  }
}

export function openPipe(path: string): OutputPipe {
  // The reader first: opening for writing alone would wait for one.
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  return {
    writeEnd,
    handOver() {
      closeSync(writeEnd);
      return new Socket({ fd: readEnd, readable: true, writable: false });
    },
  };
}
