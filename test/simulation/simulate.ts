import type { FactoryEventType, NodeRecord } from "@dispatch/core";
import { createController } from "./controller.ts";
import { createFaults } from "./faults.ts";
import { createInvariants } from "./invariants.ts";
import { createLead } from "./lead.ts";
import { createActs, createMachine } from "./machine.ts";
import type { Fault, LeadAct, Plan } from "./plan.ts";
import { createDice } from "./random.ts";
import type { Law, Sim, Tally, Violation } from "./sim.ts";
import { createSimulatedLedger } from "./simulated-ledger.ts";
import { createTimeline, type Timeline } from "./timeline.ts";
import { createTruth } from "./truth.ts";

/** How a simulation went. */
export interface Outcome {
  violation: Violation | undefined;
  steps: number;
  /** What simulated time passed, in ms. */
  simulatedMs: number;
  facts: number;
  /** Every type of fact that was recorded. */
  factTypes: readonly FactoryEventType[];
  merged: number;
  attempts: number;
  lives: number;
  tally: Readonly<Partial<Record<Tally, number>>>;
  /** Every step in words, when it was asked for. */
  trace: readonly string[];
}

/** What a simulation needs of the program that runs it: the end of a turn of the real event loop. */
export interface Host {
  onTurnEnd(listener: (act: () => void) => void): void;
  /** Settles when every promise that could settle has. */
  drain(): Promise<void>;
}

const start = 1_000_000;
const tidyMs = 20_000;
/** Long enough for a chain of 25 tasks with several attempts each, when nothing fails any more. */
const patienceMs = 6 * 3_600_000;
const stepLimit = 60_000;
const restMs = 60_000;

/** Plays one world until everything in it has ended, or a law is broken. */
export async function simulate(plan: Plan, host: Host, tracing: boolean): Promise<Outcome> {
  const trace: string[] = [];
  const notes: string[] = [];
  let violation: Violation | undefined;
  const timeline = createTimeline(plan.seed, createDice(plan.seed, "timeline"), start);
  const counts = new Map<string, number>();
  const tally: Partial<Record<Tally, number>> = {};
  const sim: Sim = {
    plan,
    timeline,
    dice: (name) => createDice(plan.seed, name),
    count(name) {
      const next = (counts.get(name) ?? 0) + 1;
      counts.set(name, next);
      return next;
    },
    calm: () => timeline.now() - start >= plan.calmAt,
    diesAfter: (node, what) => faults.diesAfter(node, what),
    note(text) {
      if (tracing) notes.push(text);
    },
    tally(what) {
      tally[what] = (tally[what] ?? 0) + 1;
    },
    gaveUp: new Set(),
    abandoned: new Set(),
    violate(law: Law, text: string) {
      violation ??= { law, text };
    },
    truth: createTruth(plan.projects.map((project) => project.id)),
    machines: new Map(plan.nodes.map((node) => [node.id, createMachine(node)])),
    ledger: createSimulatedLedger(timeline),
  };
  const acts = createActs(sim);
  const controller = createController(sim, acts);
  const faults = createFaults(sim, controller);
  const lead = createLead(sim, controller);
  const invariants = createInvariants(sim, controller);
  host.onTurnEnd((act) => timeline.atTurnEnd("the engine takes its turn", act));
  schedule(sim, { boot: controller.boot, faults, lead, heartbeat: controller.heartbeat });

  let steps = 0;
  let calmSteps = 0;
  let endedAt: number | undefined;
  while (violation === undefined) {
    const what = timeline.step();
    await host.drain();
    if (what === undefined) break;
    steps += 1;
    invariants.afterStep();
    if (tracing) trace.push(`${clockText(timeline)} ${[what, ...notes.splice(0)].join("; ")}`);
    if (!sim.calm()) continue;
    calmSteps += 1;
    endedAt = isOver(sim) ? (endedAt ?? timeline.now()) : undefined;
    if (endedAt !== undefined && timeline.now() - endedAt >= restMs) break;
    if (calmSteps > stepLimit || timeline.now() - start - plan.calmAt > patienceMs) sim.violate("5 liveness", `not ended: ${whatIsLeft(sim)}`);
  }
  if (violation === undefined) invariants.atEnd();
  const { ledger } = sim;
  return {
    violation,
    steps,
    simulatedMs: timeline.now() - start,
    facts: ledger.events.length,
    factTypes: [...new Set(ledger.events.map(({ event }) => event.type))],
    merged: [...ledger.tasks.values()].filter((task) => task.state.kind === "merged").length,
    attempts: ledger.attempts.size,
    lives: controller.lives(),
    tally,
    trace,
  };
}

interface Cast {
  boot(): void;
  heartbeat(): void;
  faults: { begin(fault: Fault): void; endAll(): void };
  lead: ReturnType<typeof createLead>;
}

/** Everything that is planned from outside. */
function schedule(sim: Sim, { boot, heartbeat, faults, lead }: Cast): void {
  const { timeline, plan } = sim;
  timeline.after(0, "the controller is started", boot);
  for (const { id } of plan.projects) timeline.after(2000, `the lead starts ${id}`, () => lead.start(id));
  for (const task of plan.tasks) timeline.after(2100 + task.fedAt, `the lead feeds ${task.id}`, () => lead.feed(task.id));
  for (const happening of plan.happenings) {
    if (happening.at >= plan.calmAt) continue;
    timeline.after(happening.at, tellHappening(happening), () => {
      if (isLeadAct(happening)) lead.act(happening);
      else faults.begin(happening);
    });
  }
  timeline.after(plan.calmAt, "nothing fails any more", () => {
    faults.endAll();
    sim.ledger.full = false;
  });
  every(timeline, plan.paceMs, "a node says that it is there", heartbeat);
  timeline.after(plan.calmAt, "the lead begins to tidy up", () => every(timeline, tidyMs, "the lead tidies up", lead.tidyUp));
}

function every(timeline: Timeline, ms: number, what: string, act: () => void): void {
  timeline.after(ms, what, () => {
    act();
    every(timeline, ms, what, act);
  });
}

const leadActs: ReadonlySet<string> = new Set([
  "revise",
  "retry",
  "retry-edited",
  "cancel",
  "pause",
  "resume",
  "collect",
  "cordon",
  "uncordon",
  "abandon",
  "stop-all",
]);

function isLeadAct(happening: Fault | LeadAct): happening is LeadAct {
  return leadActs.has(happening.do);
}

export function tellHappening({ at: _, ...happening }: { at: number } & (Fault | LeadAct)): string {
  const { do: what, ...rest } = happening;
  const facts = Object.entries(rest).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`);
  return `${isLeadAct(happening) ? "the lead: " : ""}${[what, ...facts].join(", ")}`;
}

/** Every task has ended, nothing of any attempt is left to do, every node is back and open, and no collect is under way. */
function isOver({ ledger, plan }: Sim): boolean {
  if (ledger.tasks.size < plan.tasks.length || ledger.projects.size < plan.projects.length || ledger.pending.size > 0) return false;
  for (const task of ledger.tasks.values()) if (task.state.kind !== "merged" && task.state.kind !== "cancelled") return false;
  for (const attempt of ledger.attempts.values()) if (attempt.state.kind !== "discarded") return false;
  for (const node of ledger.nodes.values()) if (!isOpen(node)) return false;
  for (const project of ledger.projects.values()) if (project.collect.kind !== "idle") return false;
  return true;
}

function isOpen({ placing, reach }: NodeRecord): boolean {
  return placing.kind === "open" && reach.kind === "kept";
}

function whatIsLeft({ ledger, plan }: Sim): string {
  const unknown = plan.tasks.filter((task) => !ledger.tasks.has(task.id)).map((task) => `${task.id} unknown`);
  const tasks = [...ledger.tasks.values()].filter(({ state }) => state.kind !== "merged" && state.kind !== "cancelled");
  const attempts = [...ledger.attempts.values()].filter(({ state }) => state.kind !== "discarded");
  const nodes = [...ledger.nodes.values()].filter((node) => !isOpen(node));
  const collects = [...ledger.projects.values()].filter(({ collect }) => collect.kind !== "idle");
  return [
    ...unknown,
    ...tasks.map(({ id, state }) => `${id} ${state.kind}`),
    ...attempts.map(({ id, state }) => `${id} ${state.kind}`),
    ...nodes.map(({ id, placing, reach }) => `${id} ${placing.kind} ${reach.kind}`),
    ...collects.map(({ id, collect }) => `collect of ${id} ${collect.kind}`),
    ...[...ledger.pending.keys()].map((key) => `outbox ${key}`),
  ].join(", ");
}

function clockText(timeline: Timeline): string {
  const ms = timeline.now() - start;
  return `${String(Math.floor(ms / 60_000)).padStart(3)}:${((ms % 60_000) / 1000).toFixed(3).padStart(6, "0")}`;
}
