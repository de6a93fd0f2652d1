import { closeSync, constants, openSync, writeSync } from "node:fs";

const keptBytes = 256 * 1024;

/** What a person sees who attaches to the session. A view of the logs: it may drop, it never holds up the work. */
export interface Pane {
  say(text: string): void;
  copy(chunk: Buffer): void;
}

/**
 * Writes to the terminal without ever waiting for it: a paused terminal (Ctrl-S), a stopped or a killed
 * tmux server must not stop the clock of an attempt. Opened anew, since non-blocking belongs to the opened file.
 */
export function openPane(): Pane {
  let fd: number | undefined;
  try {
    fd = openSync("/dev/tty", constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // No terminal: started by hand with its output redirected, for example.
    return { say: () => {}, copy: () => {} };
  }
  const waiting: Buffer[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    timer = undefined;
    while (fd !== undefined) {
      const chunk = waiting[0];
      if (chunk === undefined) return;
      try {
        const sent = writeSync(fd, chunk);
        bytes -= sent;
        if (sent < chunk.length) waiting[0] = chunk.subarray(sent);
        else waiting.shift();
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "EAGAIN") {
          timer = setTimeout(flush, 20);
          timer.unref();
          return;
        }
        closeSync(fd);
        fd = undefined;
      }
    }
  };
  const copy = (chunk: Buffer): void => {
    if (fd === undefined) return;
    waiting.push(chunk);
    bytes += chunk.length;
    while (bytes > keptBytes && waiting.length > 1) bytes -= waiting.shift()?.length ?? 0;
    if (timer === undefined) flush();
  };
  return { copy, say: (text) => copy(Buffer.from(`\x1b[1m── ${text}\x1b[0m\n`)) };
}
