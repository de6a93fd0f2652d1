import type { AttemptJob, CommandResult, Finding, WrapperFact } from "@dispatch/core";
import type { Session } from "./machine.ts";
import { entryCovers, ownedPaths, workingPaths } from "./paths.ts";
import type { AgentKind } from "./plan.ts";
import type { Dice } from "./random.ts";
import type { Sim } from "./sim.ts";
import { withPaths } from "./truth.ts";

const roomLookMs = 5000;
const timeLimitMs = 200_000;
const calmPaceMs = 20_000;

const ran: CommandResult = { command: "agent", outcome: "exited", exitCode: 0, signal: null, durationMs: 1, outputBytes: 0, outputTail: "" };
const refusal: Finding = { gate: "G01", severity: "block", found: "1 failed", why: "the tests are red", hint: "mend it" };

type Write = (session: Session, fact: WrapperFact) => void;

/** Plays the wrapper and the agent of one attempt, from its first fact to its last. What it does is luck of its own. */
export function runAgent(sim: Sim, session: Session, job: AttemptJob, write: Write): void {
  const dice = sim.dice(`agent ${job.attempt}`);
  const drawn = dice.weighted(sim.plan.agents);
  const kind: AgentKind = sim.calm() ? "good" : drawn;
  const rounds = kind === "exhausted" ? 3 : dice.weighted({ one: 7, two: 2, three: 1 }) === "one" ? 1 : 2;
  const pace = dice.chance(0.3) ? 100 : sim.calm() ? calmPaceMs : sim.plan.paceMs;
  const facts = script(kind, rounds, job);
  const crashAfter = kind === "crashes" ? dice.between(0, facts.length) : -1;
  const token = { bootId: session.machine.plan.id, tmuxStart: 1, pid: session.machine.boots, pidStart: "1", token: job.token };
  sim.note(`its agent: ${kind}`);

  function next(i: number): void {
    if (!session.alive || session.over) return;
    if (session.machine.full) {
      later(roomLookMs, `${job.attempt} waits for room on the disk`, i);
      return;
    }
    if (i === crashAfter) {
      session.alive = false;
      sim.note(`the session of ${job.attempt} vanishes`);
      session.machine.lookSoon();
      return;
    }
    const fact = i === 0 ? ({ type: "attempt-started", identity: token } as const) : facts[i - 1];
    if (fact === undefined) {
      finish(sim, session, job, kind, dice, rounds, write);
      return;
    }
    if (fact.type === "agent-ended") work(session, job, kind, dice);
    write(session, fact);
    if (i === 2 && kind === "stuck") return;
    const hangs = i === 2 && kind === "hangs";
    later(hangs ? timeLimitMs : dice.between(0, pace), `${job.attempt} goes on`, i + 1);
  }

  function later(ms: number, what: string, i: number): void {
    sim.timeline.after(ms, what, () => next(i));
  }

  later(dice.between(0, 500), `${job.attempt} begins`, 0);
}

function script(kind: AgentKind, rounds: number, job: AttemptJob): WrapperFact[] {
  if (kind === "unusable") return [];
  const facts: WrapperFact[] = [];
  for (let round = 1; round <= rounds; round++) {
    const red = kind === "exhausted" || kind === "hangs" || round < rounds;
    facts.push(
      { type: "round-started", round },
      { type: "agent-ended", round, result: ran, usage: null },
      { type: "round-checked", round, verify: [ran], findings: red ? [refusal] : [] },
    );
    if (kind === "hangs" || kind === "stuck") break;
  }
  if (job.maxRounds < rounds) facts.length = 0;
  return facts;
}

/** Leaves in the worktree what this kind of agent makes. */
function work(session: Session, job: AttemptJob, kind: AgentKind, dice: Dice): void {
  if (session.work === undefined || kind === "empty") return;
  const owned = ownedPaths([...job.spec.modifies, ...job.spec.creates]);
  const own = owned.length > 0 ? dice.pick(owned) : freshPath(job);
  const mark = { red: "!red", brittle: "!brittle", marker: "!marker" }[kind as string] ?? "";
  const changes: [string, string][] = [[own, `${job.specId} ${job.attempt} ${mark}`]];
  if (kind === "outside") {
    const foreign = workingPaths.find((path) => !owned.includes(path));
    changes.push([foreign ?? "elsewhere.txt", `${job.specId} ${job.attempt} outside`]);
  }
  session.work = { ...session.work, tree: withPaths(session.work.tree, changes) };
}

/** A file that its entries cover and that is not there yet. */
function freshPath(job: AttemptJob): string {
  const entry = job.spec.modifies[0] ?? "";
  const folder = entry.replace(/\/?\*.*$/, "").replace(/\/$/, "");
  const found = [folder, `${folder}/a.ts`, `${folder}/x.md`].find((path) => path !== "" && entryCovers(entry, path));
  return found ?? "src/a.ts";
}

function finish(sim: Sim, session: Session, job: AttemptJob, kind: AgentKind, dice: Dice, rounds: number, write: Write): void {
  const { work: left } = session;
  session.alive = false;
  if (kind === "unusable") {
    write(session, { type: "attempt-ended", outcome: { kind: "unusable", because: "no agent here" } });
    return;
  }
  if (kind === "exhausted" || kind === "hangs" || left === undefined) {
    write(session, { type: "attempt-ended", outcome: { kind: "exhausted", rounds, findings: [refusal] } });
    return;
  }
  const tip = kind === "empty" ? left.tip : sim.truth.commit(left.tree, [left.tip], `${job.attempt}: ${job.commitSubject}`).oid;
  // Beside what was committed there often is something that was not.
  const leftover = dice.chance(0.3) ? withPaths(left.tree, [["notes.txt", `${job.attempt} left this`]]) : left.tree;
  session.work = { tip, tree: leftover };
  session.machine.repositories.get(job.project)?.add(tip);
  write(session, { type: "attempt-ended", outcome: { kind: "succeeded", tip, base: job.base, rounds } });
}
