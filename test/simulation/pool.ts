import { type AttemptId, type AttemptReport, FactoryError, type NodePool, type NodeSnapshot, plainNode } from "@dispatch/core";
import { callNode, unreachable } from "./calls.ts";
import type { Life, Link } from "./life.ts";
import { type Acts, isUntold, type Machine, type Session } from "./machine.ts";
import type { Sim } from "./sim.ts";

/** The nodes as one life of the controller sees them: over links that fall, and drop, double and reorder what they carry. */
export function createPool(sim: Sim, acts: Acts, life: Life): NodePool {
  for (const machine of sim.machines.values()) if (machine.configured) addLink(sim, life, machine);
  const linkOf = (node: string): Link => {
    const link = life.links.get(node);
    if (link === undefined) throw new FactoryError("NOT_FOUND", `there is no node ${node}`, { fault: "user" });
    return link;
  };
  return {
    nodes: () => [...life.links.values()].map(snapshotOf),
    onReport(listener) {
      life.onReport = listener;
    },
    onChange(listener) {
      life.onChange = listener;
    },
    startAttempt(node, job) {
      requireDurable(sim, "start", sim.ledger.attempts.has(job.attempt), job.attempt);
      const { machine } = linkOf(node);
      return callNode(sim, linkOf(node), { what: "start", about: job.attempt, lane: job.attempt }, (reply, fail) => {
        try {
          refuseForGood(sim, machine, job.attempt);
          acts.start(machine, job);
          follow(machine, job.attempt, 0);
          reply(undefined);
        } catch (error) {
          fail(error as Error);
        }
      });
    },
    stopAttempt(node, attempt, because) {
      requireDurable(sim, "stop", isOneOf(sim, attempt, ["stopping", "fenced"]), attempt);
      const { machine } = linkOf(node);
      const cursor = life.engine?.world.attempts.get(attempt)?.cursor ?? 0;
      return callNode(sim, linkOf(node), { what: "stop", about: attempt, lane: attempt }, (reply, fail) => {
        acts.stop(
          machine,
          attempt,
          because,
          cursor,
          () => {
            follow(machine, attempt, cursor);
            reply(undefined);
          },
          fail,
        );
      });
    },
    salvageAttempt(node, attempt) {
      requireDurable(sim, "salvage", isOneOf(sim, attempt, ["ended", "collected", "fenced"]), attempt);
      return callNode(sim, linkOf(node), { what: "salvage", about: attempt, lane: attempt }, (reply, fail) => {
        attemptTo(() => acts.salvage(linkOf(node).machine, attempt), reply, fail);
      });
    },
    discardAttempt(node, attempt, held) {
      requireDurable(sim, "discard", isOneOf(sim, attempt, ["collected", "fenced"]), attempt);
      return callNode(sim, linkOf(node), { what: "discard", about: attempt, lane: attempt }, (reply, fail) => {
        attemptTo(() => acts.discard(linkOf(node).machine, attempt, held), reply, fail);
      });
    },
    tellAttempt(node, attempt, n) {
      return callNode(sim, linkOf(node), { what: `tell ${n}`, about: attempt }, (reply) => reply(undefined));
    },
    runVerify(node, job) {
      return callNode(sim, linkOf(node), { what: "verify", about: job.id }, (reply, fail) => acts.verify(linkOf(node).machine, job, reply, fail));
    },
    // No project of the simulation has generated files.
    makeGenerated: (node, { id }) =>
      callNode(sim, linkOf(node), { what: "generate", about: id }, (_, fail) => fail(new Error("nothing is generated here"))),
    cancelVerify(node, id) {
      return callNode(sim, linkOf(node), { what: "cancel", about: id }, (reply) => {
        acts.cancelVerify(linkOf(node).machine, id);
        reply(undefined);
      });
    },
    prepareRepository(node, project) {
      return callNode(sim, linkOf(node), { what: "prepare", about: `${project} on ${node}` }, (reply) => {
        const { repositories } = linkOf(node).machine;
        if (!repositories.has(project)) repositories.set(project, new Set());
        reply(`${node}:${project}`);
      });
    },
    inventory(node) {
      return callNode(sim, linkOf(node), { what: "inventory", about: node }, (reply) => {
        const { sessions } = linkOf(node).machine;
        reply([...sessions.values()].filter((session) => !isUntold(session)).map((session) => session.id));
      });
    },
    resync(node) {
      const link = linkOf(node);
      const isAtWork = [...(life.engine?.world.attempts.values() ?? [])].some((attempt) => attempt.node === node && attempt.endedAt === 0);
      if (life.alive && !isAtWork) sim.violate("exactly once", `${node} is asked for missing reports, and nothing of ours is at work there`);
      if (link.resyncing || !link.up) return;
      link.resyncing = true;
      const cursors = cursorsOf(life);
      const { epoch } = link;
      sim.timeline.after(sim.dice(`resync ${node} ${sim.count(`resync ${node}`)}`).between(1, 100), `${node} sends again what is missing`, () => {
        link.resyncing = false;
        if (life.alive && link.epoch === epoch) hello(sim, link, cursors);
      });
    },
  };
}

export function addLink(sim: Sim, life: Life, machine: Machine): Link {
  const link: Link = {
    life,
    machine,
    up: false,
    because: "not opened yet",
    downSince: sim.timeline.now(),
    upSince: 0,
    leaving: false,
    waiting: new Set(),
    epoch: 0,
    lastDue: 0,
    resyncing: false,
    onFall: () => {},
    shown: undefined,
  };
  life.links.set(machine.plan.id, link);
  return link;
}

/** Lets go of nodes that are not configured any more and on which nothing of an attempt is left. */
export function dropEmptyLinks(sim: Sim, life: Life): void {
  for (const [node, link] of life.links) {
    if (!link.leaving) continue;
    const attempts = [...(life.engine?.world.attempts.values() ?? [])];
    if (attempts.some((attempt) => attempt.node === node && attempt.state.kind !== "discarded")) continue;
    life.links.delete(node);
    disconnect(sim, link, "it is not configured any more");
  }
}

/** Some nodes are described by the same object until something changes, others anew each time: both are allowed. */
function snapshotOf(link: Link): NodeSnapshot {
  const { machine, up, because, leaving, shown } = link;
  const isSame = shown !== undefined && (shown.status.kind === "up") === up && (shown.closed !== null) === leaving;
  if (isSame && !machine.plan.talkative) return shown;
  const { forgetful: _, talkative: __, ...offer } = machine.plan;
  link.shown = {
    ...plainNode,
    ...offer,
    load: null,
    status: up ? { kind: "up" } : { kind: "down", because, since: link.downSince },
    closed: leaving ? { kind: "leaving", because: "not configured" } : null,
  };
  return link.shown;
}

/** Tries a link soon, and again until it stands. */
export function connectSoon(sim: Sim, acts: Acts, link: Link): void {
  const { machine, life } = link;
  const name = `connect ${machine.plan.id}`;
  sim.timeline.after(sim.dice(`${name} ${sim.count(name)}`).between(1, 2000), `life ${life.n} tries ${machine.plan.id}`, () => {
    if (!life.alive || link.up || life.links.get(machine.plan.id) !== link) return;
    if (machine.alive && machine.blocked <= 0) return connect(sim, acts, link);
    sim.note("in vain");
    connectSoon(sim, acts, link);
  });
}

/** Connects a link: the host learns the cursors, ends what died, and sends what is behind them. */
function connect(sim: Sim, acts: Acts, link: Link): void {
  const { machine, life } = link;
  link.onFall = () => connectSoon(sim, acts, link);
  link.epoch += 1;
  link.up = true;
  link.upSince = sim.timeline.now();
  link.lastDue = 0;
  link.resyncing = false;
  machine.link = link;
  machine.pump = (session) => pump(sim, link, session);
  const { epoch } = link;
  machine.lookSoon = () => {
    sim.timeline.after(
      sim.dice(`look ${machine.plan.id} ${sim.count(`look ${machine.plan.id}`)}`).between(500, 3000),
      `the host of ${machine.plan.id} looks`,
      () => {
        if (link.up && link.epoch === epoch) acts.closeDead(machine);
      },
    );
  };
  hello(sim, link, cursorsOf(life));
  machine.lookSoon();
  life.onChange();
}

/** Breaks a link: calls that wait fail, reports on their way are lost, sessions go on. */
export function disconnect(sim: Sim, link: Link, because: string): void {
  if (!link.up) return;
  link.up = false;
  link.epoch += 1;
  link.because = because;
  link.downSince = sim.timeline.now();
  const { machine } = link;
  if (machine.link === link) {
    machine.link = undefined;
    machine.pump = () => {};
    machine.lookSoon = () => {};
    machine.followed.clear();
  }
  for (const call of [...link.waiting]) call.fail(unreachable(machine.plan.id, because));
  sim.note(`the link to ${machine.plan.id} is down: ${because}`);
  if (!link.life.alive) return;
  link.life.onChange();
  link.onFall();
}

function hello(sim: Sim, link: Link, cursors: ReadonlyMap<AttemptId, number>): void {
  const { machine } = link;
  for (const session of machine.sessions.values()) {
    const cursor = cursors.get(session.id);
    if (cursor === undefined && !machine.plan.talkative) continue;
    machine.followed.set(session.id, cursor ?? 0);
    pump(sim, link, session);
  }
}

function follow(machine: Machine, attempt: AttemptId, cursor: number): void {
  const session = machine.sessions.get(attempt);
  if (session === undefined) return;
  if (!machine.followed.has(attempt)) machine.followed.set(attempt, cursor);
  machine.pump(session);
}

function pump(sim: Sim, link: Link, session: Session): void {
  const { machine } = link;
  const sent = machine.followed.get(session.id);
  if (sent === undefined || machine.sessions.get(session.id) !== session) return;
  for (let seq = sent + 1; seq <= session.last; seq++) {
    const entry = session.log.get(seq);
    if (entry !== undefined) send(sim, link, { node: machine.plan.id, attempt: session.id, seq, reportedAt: entry.at, fact: entry.fact });
  }
  machine.followed.set(session.id, Math.max(sent, session.last));
}

function send(sim: Sim, link: Link, report: AttemptReport): void {
  const name = `report ${report.attempt} ${report.seq}`;
  const dice = sim.dice(`${name} ${sim.count(name)}`);
  const { dropped, doubled, reordered } = sim.calm() ? { dropped: 0, doubled: 0, reordered: 0 } : sim.plan.rates;
  const { epoch } = link;
  const deliver = (at: number, inLine = false) =>
    sim.timeline[inLine ? "afterInLine" : "after"](at - sim.timeline.now(), `${name} (${report.fact.type}) comes in`, () => {
      if (sim.ledger.attempts.get(report.attempt)?.state.kind === "fenced") sim.tally("late report");
      if (link.life.alive && link.epoch === epoch) link.life.onReport(report);
      else sim.note("no one is there to hear it");
    });
  const now = sim.timeline.now();
  if (dice.chance(dropped)) {
    if (!cursorsOf(link.life).has(report.attempt)) return;
    sim.note(`${name} is lost on its way`);
    sim.timeline.after(dice.between(10, 20_000), `the link to ${report.node} turns out to be dead`, () => {
      if (link.epoch === epoch) disconnect(sim, link, "silence");
    });
    return;
  }
  if (dice.chance(reordered)) deliver(now + dice.between(0, 5000));
  else {
    link.lastDue = Math.max(link.lastDue, now + dice.between(0, 10));
    deliver(link.lastDue, true);
  }
  if (dice.chance(doubled)) deliver(now + dice.between(0, 20_000));
}

function cursorsOf(life: Life): ReadonlyMap<AttemptId, number> {
  const cursors = new Map<AttemptId, number>();
  for (const attempt of life.engine?.world.attempts.values() ?? []) if (attempt.state.kind !== "discarded") cursors.set(attempt.id, attempt.cursor);
  return cursors;
}

function refuseForGood(sim: Sim, machine: Machine, attempt: AttemptId): void {
  if (sim.calm() || machine.sessions.has(attempt)) return;
  if (!sim.dice(`hopeless ${attempt}`).chance(sim.plan.rates.hopeless)) return;
  const error = unreachable(machine.plan.id, "the base cannot be checked out");
  throw Object.assign(error, { code: "SESSION_FAILED", retry: "never" });
}

/** Nothing may be done in the world before its cause is on disk. */
function requireDurable(sim: Sim, what: string, isDurable: boolean, attempt: AttemptId): void {
  if (!isDurable) sim.violate("durable first", `${what} of ${attempt} was asked for before its cause was on disk`);
}

/** What was given up while its node was being cleared of it may still be cleared away. */
function isOneOf(sim: Sim, attempt: AttemptId, kinds: readonly string[]): boolean {
  return sim.abandoned.has(attempt) || kinds.includes(sim.ledger.attempts.get(attempt)?.state.kind ?? "");
}

function attemptTo<T>(act: () => T, reply: (result: T) => void, fail: (error: Error) => void): void {
  let result: T;
  try {
    result = act();
  } catch (error) {
    fail(error as Error);
    return;
  }
  reply(result);
}
