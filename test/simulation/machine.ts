import {
  type AttemptId,
  type AttemptJob,
  type AttemptOutcome,
  type CommandResult,
  FactoryError,
  type Oid,
  type ProjectId,
  resultRef,
  type Salvage,
  salvageRef,
  type VerifyJob,
  type WrapperFact,
} from "@dispatch/core";
import { runAgent } from "./agent.ts";
import type { Link } from "./life.ts";
import type { PlannedNode } from "./plan.ts";
import type { Sim } from "./sim.ts";
import { isTreeGreen, type Tree, treeText, withPaths } from "./truth.ts";

/** What an attempt has on its node. */
export interface Session {
  id: AttemptId;
  machine: Machine;
  /** Undefined: it was stopped before it began, and never will. */
  job: AttemptJob | undefined;
  /** What its wrapper wrote down, by number. */
  log: Map<number, { at: number; fact: WrapperFact }>;
  last: number;
  alive: boolean;
  over: boolean;
  work: Work | undefined;
  /** Its node forgot it for a while: the controller may rightly have given it up while it lived on. */
  ghost: boolean;
  /** Its node had forgotten it once: what was decided meanwhile was decided without it. */
  hidden: boolean;
  stopBecause: string | undefined;
}

export interface Work {
  tip: Oid;
  tree: Tree;
}

/** A simulated node: machine, files and sessions, whatever link there is. */
export interface Machine {
  plan: PlannedNode;
  alive: boolean;
  /** A controller that starts now would know it. */
  configured: boolean;
  /** How often it was started: a request of an earlier time never arrives. */
  boots: number;
  full: boolean;
  /** More than 0: no link to it can be had, although it lives. */
  blocked: number;
  sessions: Map<AttemptId, Session>;
  repositories: Map<ProjectId, Set<Oid>>;
  refs: Map<string, Oid>;
  /** The link over which its host speaks, and the attempts it follows with what it sent of each. */
  link: Link | undefined;
  followed: Map<AttemptId, number>;
  /** Shows what there is to send. */
  pump(session: Session): void;
  /** The host looks for sessions that vanished, soon. */
  lookSoon(): void;
}

/** What nodes do when they are asked. */
export interface Acts {
  start(machine: Machine, job: AttemptJob): void;
  stop(machine: Machine, attempt: AttemptId, because: string, cursor: number, done: () => void, fail: (error: Error) => void): void;
  salvage(machine: Machine, attempt: AttemptId): Salvage;
  discard(machine: Machine, attempt: AttemptId, held: Salvage): void;
  verify(machine: Machine, job: VerifyJob, done: (results: readonly CommandResult[]) => void, fail: (error: Error) => void): void;
  /** Its call fails, at once; whoever asked again for the same run has to run it anew. */
  cancelVerify(machine: Machine, id: string): void;
  /** Ends the records of sessions that vanished. */
  closeDead(machine: Machine): void;
  write(session: Session, fact: WrapperFact): void;
}

/** Who waits for a run of tests. */
interface Asking {
  done(results: readonly CommandResult[]): void;
  fail(error: Error): void;
}

export function createMachine(plan: PlannedNode): Machine {
  return {
    plan,
    alive: true,
    configured: true,
    boots: 1,
    full: false,
    blocked: 0,
    sessions: new Map(),
    repositories: new Map(),
    refs: new Map(),
    link: undefined,
    followed: new Map(),
    pump: () => {},
    lookSoon: () => {},
  };
}

const noRoom = (node: string) => new FactoryError("DISK_FULL", `no room on ${node}`, { fault: "dependency", retry: "later" });

/** What a node does when it is asked, by the rules of the NodePool port. */
export function createActs(sim: Sim): Acts {
  const verifying = new Map<string, Asking[]>();

  function write(session: Session, fact: WrapperFact): void {
    session.last += 1;
    session.log.set(session.last, { at: sim.timeline.now(), fact });
    if (fact.type === "attempt-ended") session.over = true;
    sim.note(`${session.id} writes ${session.last} ${fact.type}${fact.type === "attempt-ended" ? ` ${fact.outcome.kind}` : ""}`);
    session.machine.pump(session);
  }

  function end(session: Session, outcome: AttemptOutcome): void {
    session.alive = false;
    if (!session.over) write(session, { type: "attempt-ended", outcome });
  }

  return {
    write,
    start(machine, job) {
      const known = machine.sessions.get(job.attempt);
      if (known !== undefined) {
        if (known.job !== undefined && known.job.token !== job.token)
          sim.violate("attempt numbers", `${job.attempt} was started twice, as ${known.job.token} and as ${job.token}`);
        return;
      }
      if (machine.full) throw noRoom(machine.plan.id);
      const session = makeSession(machine, job.attempt, job);
      machine.sessions.set(job.attempt, session);
      if (!machine.repositories.get(job.project)?.has(job.base)) return end(session, { kind: "lost", because: "the base is not here" });
      session.work = { tip: job.base, tree: sim.truth.object(job.base).tree };
      runAgent(sim, session, job, write);
    },
    stop(machine, attempt, because, cursor, done, fail) {
      const session = machine.sessions.get(attempt);
      const notFound = () => fail(new FactoryError("NOT_FOUND", `${attempt} is unknown here`, { fault: "dependency" }));
      if (session !== undefined && isUntold(session)) return notFound();
      if (session === undefined) {
        const grave = makeSession(machine, attempt, undefined);
        machine.sessions.set(attempt, grave);
        grave.alive = false;
        grave.last = cursor;
        if (machine.plan.forgetful) {
          grave.over = true;
          return notFound();
        }
        end(grave, { kind: "stopped", because });
        return done();
      }
      if (session.over) return done();
      session.stopBecause = because;
      const delay = session.alive ? sim.dice(`stop ${attempt}`).between(0, 2000) : 0;
      sim.timeline.after(delay, `${attempt} ends as it was asked to`, () => {
        if (!machine.alive || machine.sessions.get(attempt) !== session) return;
        end(session, { kind: "stopped", because });
        done();
      });
    },
    salvage(machine, attempt) {
      const session = machine.sessions.get(attempt);
      if (session?.job === undefined) return { tip: null, salvage: null };
      if (!session.over) throw new FactoryError("SESSION_FAILED", `${attempt} still runs`, { retry: "later" });
      if (machine.full) throw noRoom(machine.plan.id);
      const held = computeSalvage(sim, session);
      const { project } = session.job;
      const repository = machine.repositories.get(project) ?? new Set();
      machine.repositories.set(project, repository);
      for (const oid of [held.tip, held.salvage]) if (oid !== null) repository.add(oid);
      if (held.tip !== null) {
        machine.refs.set(resultRef(attempt), held.tip);
        machine.refs.set(salvageRef(attempt), held.salvage ?? held.tip);
      }
      writeLate(sim, session);
      return held;
    },
    discard(machine, attempt, held) {
      const session = machine.sessions.get(attempt);
      if (session?.job === undefined || session.work === undefined) return;
      if (!session.over) throw new FactoryError("SESSION_FAILED", `${attempt} still runs`, { retry: "later" });
      const now = computeSalvage(sim, session);
      if (now.tip !== held.tip || (now.salvage !== null && now.salvage !== held.salvage))
        throw new FactoryError("SALVAGE_CHANGED", `${attempt} holds something new`, { retry: "later" });
      requireHeld(sim, session, session.job.project);
      session.work = undefined;
    },
    verify(machine, job, done, fail) {
      const key = `${machine.plan.id} ${machine.boots} ${job.id}`;
      const others = verifying.get(key);
      if (others !== undefined) return void others.push({ done, fail });
      if (!machine.repositories.get(job.project)?.has(job.commit)) return fail(new FactoryError("GIT_FAILED", `${job.commit} is not here`));
      if (machine.full) return fail(noRoom(machine.plan.id));
      const waiting: Asking[] = [{ done, fail }];
      verifying.set(key, waiting);
      const boot = machine.boots;
      const duration = sim.dice(`verify ${job.id} ${sim.count(job.id)}`).between(500, 15_000);
      sim.timeline.after(duration, `the tests of ${job.commit.slice(0, 8)} end on ${machine.plan.id}`, () => {
        if (verifying.get(key) !== waiting) return;
        verifying.delete(key);
        if (machine.boots !== boot || !machine.alive) return;
        const green = !sim.truth.hub(job.project).testsBroken && isTreeGreen(sim.truth.object(job.commit).tree);
        sim.note(green ? "green" : "red");
        if (green) sim.truth.green.add(sim.truth.object(job.commit).treeOid);
        for (const one of waiting) one.done(job.verify.map(({ run }) => resultOf(run, green)));
      });
    },
    cancelVerify(machine, id) {
      const key = `${machine.plan.id} ${machine.boots} ${id}`;
      const waiting = verifying.get(key) ?? [];
      verifying.delete(key);
      for (const { fail } of waiting) fail(new FactoryError("NODE_FAILED", `${id} was cancelled`, { retry: "later" }));
    },
    closeDead(machine) {
      if (!machine.alive || machine.full) return;
      for (const session of machine.sessions.values()) {
        if (session.alive || session.over) continue;
        const because = session.stopBecause;
        end(session, because === undefined ? { kind: "lost", because: "the session is gone" } : { kind: "stopped", because });
      }
    },
  };
}

/** It was to be stopped before it began, on a node that keeps no word of such attempts but that none may begin. */
export function isUntold(session: Session): boolean {
  return session.job === undefined && session.log.size === 0;
}

function makeSession(machine: Machine, id: AttemptId, job: AttemptJob | undefined): Session {
  return {
    id,
    machine,
    job,
    log: new Map(),
    last: 0,
    alive: true,
    over: false,
    work: undefined,
    ghost: false,
    hidden: false,
    stopBecause: undefined,
  };
}

/** What there is to keep; the same content gives the same commits. */
function computeSalvage(sim: Sim, session: Session): Salvage {
  const { work } = session;
  const { refs } = session.machine;
  if (work === undefined) {
    const tip = refs.get(resultRef(session.id)) ?? null;
    const kept = refs.get(salvageRef(session.id)) ?? null;
    return { tip, salvage: kept === tip ? null : kept };
  }
  if (treeText(work.tree) === treeText(sim.truth.object(work.tip).tree)) return { tip: work.tip, salvage: null };
  return { tip: work.tip, salvage: sim.truth.commit(work.tree, [work.tip], `salvage of ${session.id}`).oid };
}

/** Something that the agent left running writes again after everything was salvaged. */
function writeLate(sim: Sim, session: Session): void {
  const dice = sim.dice(`late write of ${session.id} ${sim.count(`late ${session.id}`)}`);
  if (sim.calm() || !dice.chance(0.15)) return;
  sim.timeline.after(dice.between(0, 300), `something writes into the worktree of ${session.id} again`, () => {
    if (session.work === undefined) return;
    session.work = { ...session.work, tree: withPaths(session.work.tree, [["late.log", `${session.id} late`]]) };
  });
}

function requireHeld(sim: Sim, session: Session, project: ProjectId): void {
  const { work } = session;
  if (work === undefined) return;
  const held = sim.truth.held(project, session.id);
  const text = treeText(work.tree);
  const tip = sim.truth.object(work.tip);
  const tipHeld = sim.truth.hub(project).has.has(work.tip);
  const treeHeld = treeText(tip.tree) === text || held.some((commit) => treeText(commit.tree) === text);
  if (!tipHeld || !treeHeld) sim.violate("4 salvage", `the worktree of ${session.id} was deleted, and what was in it is not in the hub`);
}

function resultOf(command: string, green: boolean): CommandResult {
  return {
    command,
    outcome: "exited",
    exitCode: green ? 0 : 1,
    signal: null,
    durationMs: 1,
    outputBytes: 8,
    outputTail: green ? "" : "1 failed",
  };
}
