import { spawn } from "node:child_process";
import { constants, openSync, readSync, rmSync } from "node:fs";
import { Socket } from "node:net";

/** Waits until the host that started this process names the folder of an attempt. Undefined: that host is gone. */
export async function waitForAttempt(fifo: string): Promise<string | undefined> {
  // Never waits: without a writer it is at its end, and the host has opened it before.
  const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  rmSync(fifo, { force: true });
  const begun = readNow(fd);
  if (begun === undefined) return undefined;
  if (begun.endsWith("\n")) return begun.slice(0, -1);
  return await new Promise((resolve) => {
    const socket = new Socket({ fd, readable: true, writable: false });
    let said = begun;
    socket.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (!said.endsWith("\n")) return;
      resolve(said.slice(0, -1));
      socket.destroy();
    });
    socket.once("error", () => socket.destroy());
    socket.once("close", () => resolve(undefined));
  });
}

/** What was said already. Undefined: nobody has the pipe open, which a poll would never tell of a pipe that was opened after its writer had gone. */
function readNow(fd: number): string | undefined {
  const buffer = Buffer.alloc(4096);
  try {
    const length = readSync(fd, buffer);
    return length === 0 ? undefined : buffer.toString("utf8", 0, length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return "";
    throw error;
  }
}

/** Gives the session of this pane the name under which people look for it. A view only: without it the attempt goes on. */
export async function nameSession(name: string): Promise<void> {
  const pane = process.env["TMUX_PANE"];
  if (pane === undefined) return;
  await new Promise<void>((resolve) => {
    const child = spawn("tmux", ["rename-session", "-t", pane, name], { stdio: "ignore", timeout: 5000, killSignal: "SIGKILL" });
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
}
