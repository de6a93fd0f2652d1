import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type AttemptId, type AttemptJob, type AttemptOutcome, FactoryError, isFactoryError, type SessionIdentity } from "@dispatch/core";
import type { AttemptFiles } from "../attempt-files.ts";
import { untilRoom } from "../disk-room.ts";
import { claimFile, readFileIfAny } from "../durable-files.ts";
import { closeEventLog } from "../event-log.ts";
import { send } from "../process/end-processes.ts";
import { startOf } from "../process/list-processes.ts";
import { checkOid, checkProject, filesOf, type Host, readIdentity, readJob, refuse } from "./host.ts";
import type { SpareKeeper } from "./keep-spare.ts";
import { killSession, newSession, panePid } from "./tmux.ts";
import { waitUntil } from "./wait-until.ts";

const patienceMs = 30_000;
const tries = 4;

/**
 * Puts a job on disk. From then on it is this node's to begin it, and to say so when it cannot.
 * Done already: nothing happens. Throws SESSION_FAILED when the name belongs to somebody else's attempt.
 */
export async function takeJob(host: Host, job: AttemptJob): Promise<void> {
  checkJob(job);
  const files = filesOf(host, job.attempt);
  const known = readIdentity(files) ?? readJob(files);
  if (known !== undefined) return requireSame(job, known);
  mkdirSync(files.dir, { recursive: true, mode: 0o700 });
  // There before the wrapper writes, so that it can be watched; before the job, so that where there is a job there is all.
  closeSync(openSync(files.events, "a", 0o600));
  await Promise.all([keep(files.job, JSON.stringify(job)), sync(dirname(files.dir))]);
}

/** Replaces a file as a whole and durably. Several starts that come together wait for the disk together, hence not all in one go. */
async function keep(path: string, content: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(draft, content, { mode: 0o600, flush: true });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await sync(dirname(path));
}

async function sync(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Makes sure that an attempt whose job was taken has its wrapper. Returns when one has claimed it, and otherwise when
 * the attempt's end is on record: lost, or unusable where no later try could do better. Safe to repeat.
 */
export async function beginAttempt(host: Host, spares: SpareKeeper, attempt: AttemptId): Promise<void> {
  const files = filesOf(host, attempt);
  const job = readJob(files);
  if (job === undefined || readIdentity(files) !== undefined) return;
  const failed = await launch(host, spares, files, job).catch(outcomeOf);
  if (failed === undefined) return;
  // The claim keeps a late wrapper from working, as a stop does.
  const closed = await untilRoom(() => claimFile(files.identity, JSON.stringify(noWrapper(host, job.token))), patient);
  if (closed) await untilRoom(() => closeEventLog(files.events, failed, { at: Date.now(), cursor: 0 }), patient);
}

const patient = { onWait: () => {}, giveUp: () => false };

function outcomeOf(error: unknown): AttemptOutcome {
  const because = error instanceof Error ? error.message : String(error);
  return { kind: isFactoryError(error) && error.fault === "user" && error.retry === "never" ? "unusable" : "lost", because };
}

/** tmux may be on its way out when it is asked, since a server ends with its last session; asking again starts a new one. */
async function launch(host: Host, spares: SpareKeeper, files: AttemptFiles, job: AttemptJob): Promise<AttemptOutcome | undefined> {
  let because = "";
  for (let n = 0; n < tries; n++) {
    rmSync(join(files.dir, "wrap-error.txt"), { force: true });
    const spare = n === 0 ? await spares.take() : undefined;
    spare?.give(files.dir);
    const made = spare === undefined ? await newSession(host, job.attempt, files.dir, wrapperOf(host, files)) : spare;
    if ("because" in made) {
      because = made.because;
    } else {
      const pid = "pid" in made ? made.pid : await panePid(host, job.attempt);
      const claimed = await waitForClaim(files, pid);
      spare?.release();
      if (claimed) return undefined;
      because = readFileIfAny(join(files.dir, "wrap-error.txt")) ?? "the session ended before it began to work";
      await takeBack(host, files, job, pid);
    }
    if (readIdentity(files) !== undefined) return undefined;
  }
  return {
    kind: "lost",
    because: `no session could be started in tmux (try \`tmux -L ${host.socket} new-session -d true\` on the node): ${because}`,
  };
}

function wrapperOf(host: Host, files: AttemptFiles): readonly string[] {
  return [process.execPath, host.bundle, "wrap", files.dir];
}

/** False when the process died unclaimed or took too long. */
async function waitForClaim(files: AttemptFiles, pid: number | undefined): Promise<boolean> {
  return (await waitUntil(files.dir, () => claimOrDeath(files, pid), patienceMs)) === "claimed";
}

function claimOrDeath(files: AttemptFiles, pid: number | undefined): "claimed" | "dead" | undefined {
  // Before the claim: a wrapper that claims and dies between the two looks is still found.
  const dead = pid === undefined || startOf(pid) === undefined;
  if (readFileIfAny(files.identity) !== undefined) return "claimed";
  return dead ? "dead" : undefined;
}

/** Leaves no wrapper that could claim the attempt later. */
async function takeBack(host: Host, files: AttemptFiles, job: AttemptJob, pid: number | undefined): Promise<void> {
  await killSession(host, job.attempt);
  if (pid === undefined) return;
  send(pid, "SIGKILL");
  await waitUntil(files.dir, () => (startOf(pid) === undefined ? true : undefined), 5000);
}

/** The identity of a wrapper that will never be: whoever holds this claim keeps every other from working. */
export function noWrapper(host: Host, token: string): SessionIdentity {
  return { bootId: host.bootId, tmuxStart: 0, pid: 0, pidStart: "", token };
}

function requireSame(job: AttemptJob, known: SessionIdentity | AttemptJob): void {
  if (known.token === job.token || ("pid" in known && known.pid === 0)) return;
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
