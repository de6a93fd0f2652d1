import { mkdirSync } from "node:fs";
import type { AttemptId } from "@dispatch/core";
import { claimFile, replaceFile } from "../durable-files.ts";
import { closeEventLog } from "../event-log.ts";
import { send } from "../process/end-processes.ts";
import { closeDeadAttempt } from "./close-dead-attempt.ts";
import { filesOf, type Host, readJob, standingOf } from "./host.ts";
import { noWrapper } from "./start-session.ts";
import { killSession } from "./tmux.ts";
import { waitUntil } from "./wait-until.ts";

/** Longer than a wrapper takes that has to insist with KILL. */
const patienceMs = 12_000;

/** Ends everything of an attempt and leaves `attempt-ended` as its last event, also when it never began. */
export async function stopAttempt(host: Host, attempt: AttemptId, because: string, cursor: number): Promise<void> {
  const files = filesOf(host, attempt);
  let standing = standingOf(host, files);
  if (standing.kind === "over") return;
  mkdirSync(files.dir, { recursive: true, mode: 0o700 });
  replaceFile(files.stop, JSON.stringify({ because }), true);
  if (standing.kind === "unclaimed") {
    // The claim keeps a wrapper that is on its way from beginning.
    if (claimFile(files.identity, JSON.stringify(noWrapper(host, readJob(files)?.token ?? "")))) {
      await killSession(host, attempt);
      closeEventLog(files.events, { kind: "stopped", because }, { at: Date.now(), cursor });
      return;
    }
    standing = standingOf(host, files);
  }
  if (standing.kind === "alive") {
    send(standing.identity.pid, "SIGTERM");
    const ended = () => (standingOf(host, files).kind === "alive" ? undefined : true);
    await waitUntil(files.dir, ended, patienceMs);
    standing = standingOf(host, files);
    if (standing.kind === "alive") {
      send(standing.identity.pid, "SIGKILL");
      await waitUntil(files.dir, ended, patienceMs);
      standing = standingOf(host, files);
    }
  }
  if (standing.kind === "gone") await closeDeadAttempt(host, files, standing.identity, cursor);
}
