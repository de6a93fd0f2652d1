import { isDeepStrictEqual } from "node:util";
import type { World } from "@dispatch/core";
import { decide } from "@dispatch/scheduler";
import type { Controller } from "./controller.ts";
import { watchFacts } from "./invariants-facts.ts";
import { checkDeadlines, checkNothingLeft } from "./invariants-nodes.ts";
import { checkIdle, checkSessions, checkWorld } from "./invariants-world.ts";
import { reportingSession } from "./readings.ts";
import type { Sim } from "./sim.ts";

/** Asserts the laws of docs/architecture.md after every step. */
export interface Invariants {
  afterStep(): void;
  /** What must hold when everything has ended. */
  atEnd(): void;
}

export function createInvariants(sim: Sim, controller: Controller): Invariants {
  const facts = watchFacts(sim, controller);
  let lastSeen = "";
  let lastIdle = "";
  let idles = 0;
  let turns = 0;

  /** Changes whenever the world, a node or the life may have changed. */
  function fingerprint(): string {
    const life = controller.life();
    let up = "";
    for (const link of life?.links.values() ?? []) up += link.up ? "1" : "0";
    return `${controller.lives()} ${sim.ledger.recorded()} ${sim.ledger.events.length} ${up}`;
  }

  function afterIdle(): void {
    const life = controller.life();
    if (life?.engine === undefined || !life.started || life.closing) return;
    const { world } = life.engine;
    // Deciding from nothing costs more than all other checks together.
    idles += 1;
    const again = idles % 4 === 0 ? decide(life.engine.snapshot(), sim.timeline.now()) : [];
    if (again.length > 0) sim.violate("6 decide twice", `deciding again decides ${JSON.stringify(again[0])}`);
    checkIdle(sim, life);
    checkDeadlines(sim, life);
    if (sim.ledger.events.length === 0) return;
    checkFold(world, "memory");
  }

  /** Before a decision is recorded: the log, read from its beginning, must give the same one as the world in memory. */
  function checkSameDecisions(): void {
    const life = controller.life();
    if (life?.engine === undefined || !life.started || sim.ledger.unwritten()) return;
    turns += 1;
    if (turns % 30 !== 0) return;
    const now = sim.timeline.now();
    const snapshot = life.engine.snapshot();
    const fromMemory = JSON.stringify(decide(snapshot, now));
    const fromLog = JSON.stringify(decide({ ...snapshot, world: facts.folded }, now));
    if (fromMemory !== fromLog) sim.violate("6 same decisions", `from memory ${fromMemory}, from the log ${fromLog}`);
  }

  function checkFold(world: World, name: string): void {
    for (const kind of ["projects", "tasks", "attempts", "nodes"] as const) {
      const rows: ReadonlyMap<string, unknown> = world[kind];
      const durable: ReadonlyMap<string, unknown> = sim.ledger[kind];
      if (rows.size !== durable.size) sim.violate("6 fold", `${name} has ${rows.size} ${kind}, the rows ${durable.size}`);
      for (const [id, row] of rows) if (durable.get(id) !== row) sim.violate("6 fold", `${id} in ${name} is not its row`);
    }
  }

  return {
    afterStep() {
      facts.look();
      checkSessions(sim);
      const seen = fingerprint();
      const world = controller.life()?.engine?.world;
      if (seen !== lastSeen && world !== undefined) checkWorld(sim, world);
      lastSeen = seen;
      if (!sim.timeline.isIdle()) {
        checkSameDecisions();
        return;
      }
      const idle = `${seen} ${nextPauseOver(world, sim.timeline.now())}`;
      if (idle !== lastIdle) afterIdle();
      lastIdle = idle;
    },
    atEnd() {
      const { ledger } = sim;
      for (const [kind, rows] of Object.entries({
        projects: ledger.projects,
        tasks: ledger.tasks,
        attempts: ledger.attempts,
        nodes: ledger.nodes,
      })) {
        const folded: ReadonlyMap<string, unknown> = facts.folded[kind as "tasks"];
        for (const [id, row] of rows) if (!isDeepStrictEqual(folded.get(id), row)) sim.violate("6 fold", `the log gives another ${id} than its row`);
      }
      if (ledger.pending.size > 0) sim.violate("outbox", `${[...ledger.pending.keys()].join(", ")} is left in the outbox`);
      checkNothingLeft(sim);
      const troubles = controller.life()?.engine?.troubles() ?? [];
      if (troubles.length > 0) sim.violate("outbox", `${troubles.length} effects are in trouble although everything is done`);
      for (const attempt of ledger.attempts.values()) {
        const session = reportingSession(sim, attempt.id);
        if (session === undefined || session.ghost || session.job === undefined) continue;
        const rounds = [...session.log].filter(([seq, { fact }]) => seq <= attempt.cursor && fact.type === "round-started").length;
        if (rounds !== attempt.rounds.length)
          sim.violate("exactly once", `${attempt.id} has ${attempt.rounds.length} rounds, its session wrote ${rounds}`);
      }
    },
  };
}

/** Pauses that are over count, so that the idle check is made again when one more is. */
function nextPauseOver(world: World | undefined, now: number): number {
  let over = 0;
  for (const task of world?.tasks.values() ?? []) if (task.state.kind === "backoff" && task.state.until <= now) over += 1;
  return over;
}
