import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type AttemptJob, FactoryError, type SessionIdentity } from "@dispatch/core";
import type { AttemptFiles } from "../attempt-files.ts";
import { readFileIfAny, replaceFile, syncFolder } from "../durable-files.ts";
import { send } from "../process/end-processes.ts";
import { startOf } from "../process/list-processes.ts";
import { checkOid, checkProject, filesOf, type Host, readIdentity, refuse } from "./host.ts";
import { killSession, newSession, panePid } from "./tmux.ts";
import { waitUntil } from "./wait-until.ts";

const patienceMs = 30_000;
const tries = 4;

/** Makes sure that the attempt has its wrapper. Done already: nothing happens. Returns when the wrapper has claimed it. */
export async function startSession(host: Host, job: AttemptJob): Promise<void> {
  checkJob(job);
  const files = filesOf(host, job.attempt);
  const known = readIdentity(files);
  if (known !== undefined) return requireSame(job, known);
  mkdirSync(files.dir, { recursive: true, mode: 0o700 });
  replaceFile(files.job, JSON.stringify(job), true);
  // There before the wrapper writes, so that it can be watched.
  closeSync(openSync(files.events, "a", 0o600));
  syncFolder(join(files.dir, ".."));
  rmSync(join(files.dir, "wrap-error.txt"), { force: true });
  requireSame(job, await launch(host, files, job));
}

/** tmux may be on its way out when it is asked, since a server ends with its last session; asking again starts a new one. */
async function launch(host: Host, files: AttemptFiles, job: AttemptJob): Promise<SessionIdentity> {
  let because = "";
  for (let n = 0; n < tries; n++) {
    const made = await newSession(host, job.attempt, files.dir, [process.execPath, host.bundle, "wrap", files.dir]);
    if (made.outcome === "failed") {
      because = made.because;
    } else {
      const pid = made.outcome === "made" ? made.panePid : await panePid(host, job.attempt);
      const identity = await waitForClaim(files, pid);
      if (identity !== undefined) return identity;
      because = readFileIfAny(join(files.dir, "wrap-error.txt")) ?? "the session ended before it began to work";
      const late = await takeBack(host, files, job, pid);
      if (late !== undefined) return late;
    }
    const identity = readIdentity(files);
    if (identity !== undefined) return identity;
  }
  throw new FactoryError("SESSION_FAILED", `attempt ${job.attempt} could not be started in tmux: ${because}`, {
    fault: "dependency",
    retry: "later",
    hint: `Try \`tmux -L ${host.socket} new-session -d true\` on the node.`,
  });
}

/** Undefined when the process died unclaimed or took too long. */
async function waitForClaim(files: AttemptFiles, pid: number | undefined): Promise<SessionIdentity | undefined> {
  const seen = await waitUntil(files.dir, () => claimOrDeath(files, pid), patienceMs);
  return seen === "dead" ? undefined : seen;
}

function claimOrDeath(files: AttemptFiles, pid: number | undefined): SessionIdentity | "dead" | undefined {
  // Before the claim: a wrapper that claims and dies between the two looks is still found.
  const dead = pid === undefined || startOf(pid) === undefined;
  return readIdentity(files) ?? (dead ? "dead" : undefined);
}

/** Leaves no wrapper that could claim the attempt later. Gives the identity when one was faster. */
async function takeBack(host: Host, files: AttemptFiles, job: AttemptJob, pid: number | undefined): Promise<SessionIdentity | undefined> {
  await killSession(host, job.attempt);
  if (pid !== undefined) {
    send(pid, "SIGKILL");
    await waitUntil(files.dir, () => (startOf(pid) === undefined ? true : undefined), 5000);
  }
  return readIdentity(files);
}

/** The identity of a wrapper that will never be: whoever holds this claim keeps every other from working. */
export function noWrapper(host: Host, token: string): SessionIdentity {
  return { bootId: host.bootId, tmuxStart: 0, pid: 0, pidStart: "", token };
}

function requireSame(job: AttemptJob, identity: SessionIdentity): void {
  if (identity.token === job.token || identity.pid === 0) return;
  throw new FactoryError("SESSION_FAILED", `the node already holds an attempt named ${job.attempt} that is not ours`, {
    fault: "user",
    hint: "Give this factory a home of its own on the node, or remove the old one's home.",
  });
}

function checkJob(job: AttemptJob): void {
  checkProject(job.project);
  checkOid(job.base);
  if (typeof job.branch !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(job.branch))
    throw refuse(`not a branch: ${JSON.stringify(job.branch)}`);
  if (typeof job.token !== "string" || job.token.length < 8) throw refuse("a job needs a token of at least 8 characters");
  if (!Array.isArray(job.executor?.command) || job.executor.command.length === 0) throw refuse("a job needs an executor with a command");
  if (!Array.isArray(job.verify) || typeof job.spec !== "object" || typeof job.prompt !== "string")
    throw refuse("a job needs spec, verify and prompt");
}
