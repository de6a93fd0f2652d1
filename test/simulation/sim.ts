import type { AttemptId, NodeId } from "@dispatch/core";
import type { Machine } from "./machine.ts";
import type { Plan } from "./plan.ts";
import type { Dice } from "./random.ts";
import type { SimulatedLedger } from "./simulated-ledger.ts";
import type { Timeline } from "./timeline.ts";
import type { Truth } from "./truth.ts";

/** The laws that a simulation watches; the numbers are those of docs/architecture.md. */
export type Law =
  | "1 one live attempt"
  | "1 slots"
  | "1 resources"
  | "1 placement"
  | "2 locks"
  | "3 main"
  | "3 merged"
  | "4 salvage"
  | "5 liveness"
  | "6 decide twice"
  | "6 same decisions"
  | "6 fold"
  | "7 gridlock"
  | "order"
  | "exactly once"
  | "one way"
  | "outbox"
  | "attempt numbers"
  | "durable first"
  | "side by side"
  | "session left"
  | "8 fence"
  | "9 train"
  | "9 deadline"
  | "closed nodes"
  | "forgotten"
  | "engine stopped"
  | "command failed";

export interface Violation {
  law: Law;
  text: string;
}

/** What is rare, and what the worlds have to see often enough. */
export type Tally =
  | "node lost"
  | "unknown node lost"
  | "fenced"
  | "back alive"
  | "back ended"
  | "back vanished"
  | "back forgotten"
  | "late report"
  | "retired with work"
  | "abandoned";

/** What everything in a simulated world shares. */
export interface Sim {
  plan: Plan;
  timeline: Timeline;
  /** Luck that belongs to a name: the same name gives the same draws. */
  dice(name: string): Dice;
  /** How often a name was used before; names repeated calls. */
  count(name: string): number;
  /** Nothing fails any more. */
  calm(): boolean;
  /** Whether a node that has just done this is about to die without an answer. */
  diesAfter(node: NodeId, what: string): boolean;
  /** Adds a line to the step that is under way. */
  note(text: string): void;
  /** Counts what a world was good for. */
  tally(what: Tally): void;
  /** Nodes that the lead gave up and that were not back since. */
  gaveUp: Set<NodeId>;
  /** Attempts that went with them. */
  abandoned: Set<AttemptId>;
  /** The first one counts. */
  violate(law: Law, text: string): void;
  truth: Truth;
  machines: ReadonlyMap<NodeId, Machine>;
  ledger: SimulatedLedger;
}
