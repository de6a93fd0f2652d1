import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isatty } from "node:tty";
import { serveHost } from "./host/serve-host.ts";
import { wrapAttempt } from "./wrap/wrap-attempt.ts";

// Asked now: later the terminal may be gone, and what matters is whether there was one.
const inTerminal = [0, 1, 2].some((fd) => isatty(fd));
const [command, ...rest] = process.argv.slice(2);
if (command === "wrap" && rest[0] !== undefined) {
  try {
    await wrapAttempt(rest[0]);
  } catch (error) {
    // The pane ends with this process; the host reads here why nothing was claimed.
    writeFileSync(join(rest[0], "wrap-error.txt"), String(error instanceof Error ? (error.stack ?? error.message) : error));
  }
  // An ordinary exit restores the terminal, and aborts when that has vanished with its tmux server. All that counts is on disk.
  if (inTerminal) process.kill(process.pid, "SIGKILL");
  // What is left of handles must not keep a session open whose attempt has ended.
  process.exit(0);
} else if (command === "host" && rest[0] === "--home" && rest[1] !== undefined) {
  await serveHost(rest[1]);
} else {
  process.stderr.write("usage: worker.mjs host --home DIR | worker.mjs wrap ATTEMPT_DIR\n");
  process.exitCode = 2;
}
