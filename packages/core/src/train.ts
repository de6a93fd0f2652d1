import type { Candidate, FactoryEvent } from "./event.ts";
import type { Finding } from "./finding.ts";
import type { Oid, TaskId } from "./ids.ts";

/**
 * The landing train of a project: the candidate trees ("cars") that are on their way to main, and what runs have shown of
 * the branches that wait.
 *
 *   building ─► running ─► advancing ─► landed
 *      ▲          │  ▲         ▲
 *      │          │  └ broken  │  (the machine failed, not the tree: run again)
 *      └─ passed ◄┴────────────┘  (another car lands just now, or main moved)
 *
 * 1. A car holds branches on top of one main: its own members, and those of the cars ahead of it.
 * 2. A car that fails takes the cars with it that were built on it. Their members wait again, and so do its own, as suspects.
 * 3. A car that passes lands at once when it was built on main as it is, with all it holds. When main moved by a car that was
 *    ahead of it, it is built again: the same tree, so the run that there was counts. Otherwise its members are vetted and wait.
 * 4. At most one car advances main.
 */
export interface Train {
  /** Number of the newest car; never goes down. */
  lastCar: number;
  /** In flight, in the order in which they were planned. */
  cars: readonly Car[];
  /** What runs have shown of tasks that wait or are in a car; nothing yet of those that are not listed. */
  standings: readonly Standing[];
  record: TrainRecord;
}

/** How branches did lately; each new one makes the older ones weigh less. */
export interface TrainRecord {
  landed: number;
  refused: number;
  /** Reds of which nothing was left when their parts were run. */
  flaky: number;
}

/** `vetted`: it was green in a run of its own or with others. `suspect`: it was in a red one; those of one group were in it together. */
export type Standing = { task: TaskId; soloReds: number } & ({ kind: "vetted" } | { kind: "suspect"; group: number });

export interface Car {
  n: number;
  /** `part`: to find out who of a red car is to blame; of one member when it is the last word on that one. */
  kind: "car" | "part";
  /** In the order in which they land. */
  members: readonly TaskId[];
  /** Cars whose members it holds too, in order. */
  ahead: readonly number[];
  /** Main as it was, or will be when all cars ahead have landed. */
  onto: Oid;
  state: CarState;
}

export type CarState =
  /** `passed`: the tree that was green already, when it is only built again on a moved main. */
  | { kind: "building"; passed: Oid | null }
  /** `broken`: how often the machine failed it. */
  | { kind: "running"; candidate: Candidate; broken: number }
  | { kind: "passed"; candidate: Candidate }
  | { kind: "advancing"; candidate: Candidate };

export const emptyTrain: Train = { lastCar: 0, cars: [], standings: [], record: { landed: 0, refused: 0, flaky: 0 } };
