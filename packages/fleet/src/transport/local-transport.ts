import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createClosing } from "./closing.ts";
import type { Channel, ChannelEnd, Transport } from "./transport.ts";

/** This machine: a process is a child. */
export function createLocalTransport(): Transport {
  return {
    kind: "local",
    async connect() {
      const closing = createClosing();
      const open = new Set<Channel>();
      return {
        kind: "local",
        async run(argv) {
          const channel = await startChild(argv);
          open.add(channel);
          void channel.ended.then(() => open.delete(channel));
          return channel;
        },
        async upload(path, content) {
          await mkdir(dirname(path), { recursive: true });
          await writeFile(path, content, { mode: 0o600 });
        },
        closed: closing.because,
        close() {
          for (const channel of open) channel.kill();
          closing.close("it was closed");
        },
        // Processes here do not share a line on which one could keep another from being heard.
        onBytes() {},
        onClose: closing.onClose,
      };
    },
  };
}

/** In a session of its own: keys pressed in the controller's terminal are for the controller. */
async function startChild([program = "", ...args]: readonly string[]): Promise<Channel> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env, detached: true });
  const ended = new Promise<ChannelEnd>((resolve) => {
    child.once("error", (error) => resolve({ code: null, because: error.message }));
    child.once("exit", (code, signal) => resolve({ code, because: signal ?? `exit code ${code}` }));
  });
  child.stdin.on("error", () => {});
  return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, kill: () => void child.kill("SIGKILL") };
}
