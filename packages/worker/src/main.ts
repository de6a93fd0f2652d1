import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isatty } from "node:tty";
import { takeCertificatesBack } from "./certificates.ts";
import { serveHost } from "./host/serve-host.ts";
import { identifySelf } from "./process/session-identity.ts";
import { nameSession, waitForAttempt } from "./wrap/wait-for-attempt.ts";
import { wrapAttempt } from "./wrap/wrap-attempt.ts";

// Asked now: later the terminal may be gone, and what matters is whether there was one.
const inTerminal = [0, 1, 2].some((fd) => isatty(fd));
takeCertificatesBack(process.env);
const [command, ...rest] = process.argv.slice(2);
if (command === "wrap" && rest[0] !== undefined) {
  await wrap(rest[0], async () => {});
} else if (command === "spare" && rest[0] !== undefined) {
  // So that the first use, which is slow, is over when it counts.
  identifySelf("");
  const attemptDir = await waitForAttempt(rest[0]);
  if (attemptDir === undefined) leave();
  await wrap(attemptDir, () => nameSession(basename(attemptDir)));
} else if (command === "host" && rest[0] === "--home" && rest[1] !== undefined) {
  await serveHost(rest[1]);
} else {
  process.stderr.write("usage: worker.mjs host --home DIR | worker.mjs wrap ATTEMPT_DIR | worker.mjs spare FIFO\n");
  process.exitCode = 2;
}

async function wrap(attemptDir: string, showSession: () => Promise<void>): Promise<never> {
  try {
    process.chdir(attemptDir);
    await wrapAttempt(attemptDir, showSession);
  } catch (error) {
    // The pane ends with this process; the host reads here why nothing was claimed.
    writeFileSync(join(attemptDir, "wrap-error.txt"), String(error instanceof Error ? (error.stack ?? error.message) : error));
  }
  leave();
}

function leave(): never {
  // An ordinary exit restores the terminal, and aborts when that has vanished with its tmux server. All that counts is on disk.
  if (inTerminal) process.kill(process.pid, "SIGKILL");
  // What is left of handles must not keep a session open whose attempt has ended.
  process.exit(0);
}
