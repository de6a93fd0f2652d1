import { closeSync, constants, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { askProgram } from "../process/ask-program.ts";
import { allowedEnvironment } from "../process/environment.ts";
import { startOf } from "../process/list-processes.ts";
import { complain, type Host } from "./host.ts";
import { newSession } from "./tmux.ts";

/** A wrapper that waits in a session of tmux to be told its attempt. */
export interface Spare {
  pid: number;
  /** Once. From then on it is a wrapper like every other, and the claim decides whether it works. */
  give(attemptDir: string): void;
  /** Lets it end, unless it was given an attempt and has read of it. */
  release(): void;
}

/**
 * Keeps one wrapper ready, so that an attempt need not wait for a Node.js to start.
 *
 * 1. A spare knows no attempt, holds no slot and leaves no file; only this process can give it one.
 * 2. It reads from a pipe of which this process holds the only end to write to: however this process ends, so does the
 *    spare, unless it was given an attempt before.
 */
export interface SpareKeeper {
  /** The one that waits, for the caller alone; undefined when there is none that lives. */
  take(): Promise<Spare | undefined>;
  /** Starts one soon, unless one waits or is on its way; not at once, since that would take time from what just began. */
  keep(): void;
  close(): void;
}

const pauseMs = 200;
/** After so many in a row the next attempt starts without one, and then it is tried again. */
const mostMisses = 4;

export function createSpareKeeper(host: Host): SpareKeeper {
  let timer: NodeJS.Timeout | undefined;
  let waiting: Promise<Spare | undefined> | undefined;
  let started = 0;
  let misses = 0;
  let closed = false;
  const keep = (): void => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(start, pauseMs);
  };
  const start = (): void => {
    if (waiting !== undefined) return;
    started++;
    const starting = startSpare(host, `${process.pid}-${started}`).catch((error: unknown) => complain(error));
    const mine = starting.then((spare) => {
      if (closed) spare?.release();
      misses = spare ? 0 : misses + 1;
      // tmux may have been on its way out, since a server ends with its last session.
      if (waiting === mine && misses > 0 && misses < mostMisses) {
        waiting = undefined;
        keep();
      }
      return spare ?? undefined;
    });
    waiting = mine;
  };
  return {
    async take() {
      clearTimeout(timer);
      const taken = waiting;
      waiting = undefined;
      const spare = await taken;
      if (spare === undefined || startOf(spare.pid) !== undefined) return spare;
      spare.release();
      return undefined;
    },
    keep() {
      misses = 0;
      keep();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      void waiting?.then((spare) => spare?.release());
    },
  };
}

async function startSpare(host: Host, name: string): Promise<Spare | undefined> {
  const folder = join(host.home, "spare");
  const fifo = join(folder, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await askProgram({ argv: ["mkfifo", "-m", "600", fifo], cwd: folder, env: allowedEnvironment(), timeoutMs: 5000 });
  // To read and write, since opening for writing alone fails as long as nobody reads.
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  let open = true;
  const release = (): void => {
    if (open) closeSync(fd);
    open = false;
    rmSync(fifo, { force: true });
  };
  // No attempt can have this name: theirs begin with a letter or a digit.
  const made = await newSession(host, `_spare-${name}`, host.home, [process.execPath, host.bundle, "spare", fifo]);
  if (made.outcome !== "made") {
    release();
    return undefined;
  }
  return { pid: made.pid, give: (attemptDir) => void writeSync(fd, `${attemptDir}\n`), release };
}
