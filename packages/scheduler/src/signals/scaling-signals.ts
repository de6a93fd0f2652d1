import type { ScalingSample } from "./scaling-samples.ts";

/** How far back rates look, in milliseconds. */
export const signalWindowMs = 60 * 60_000;

/**
 * Where a signal comes on and where it goes off again. Between the two it stays what it was, so that a figure
 * that hovers around one value does not switch it to and fro.
 */
export const signalThresholds = {
  /** Tasks that could start, per running session. */
  backlog: { on: 2, off: 1.25 },
  /** Specs fed per spec merged or cancelled, in the window. */
  arrivals: { on: 1.2, off: 1 },
  /** Share of first rounds that were red, in the window. */
  firstRounds: { on: 0.3, off: 0.2 },
  /** Share of landings that met a conflict, in the window. */
  conflicts: { on: 0.2, off: 0.1 },
} as const;

/** Fewer facts than these in the window say nothing: a signal that rests on a rate stays off. */
export const leastSamples = { arrivals: 10, firstRounds: 8, conflicts: 8 } as const;

export type SignalName = keyof typeof signalThresholds;

/** Which signals are on. Part of the next judgement's input; nothing of it has to outlive a restart. */
export type SignalState = Readonly<Record<SignalName, boolean>>;

export const noSignals: SignalState = { backlog: false, arrivals: false, firstRounds: false, conflicts: false };

export interface SignalFacts {
  now: number;
  /** Tasks without a session that are not over. */
  pending: number;
  /** Those of them that lack nothing but room on a node. */
  startable: number;
  /** Sessions that hold a slot. */
  running: number;
  /** Samples of the window at least; older ones are left out of account. */
  samples: readonly ScalingSample[];
}

export interface Signals {
  state: SignalState;
  /** What to do. Better specs come before a better split, and both before more nodes. */
  advice: "add-nodes" | "mend-specs" | "change-split" | "none";
  figures: SignalFigures;
}

/** What the signals rest on. Rates are null while there are too few facts. */
export interface SignalFigures {
  windowMs: number;
  pending: number;
  startable: number;
  running: number;
  arrived: number;
  consumed: number;
  firstRounds: number;
  firstRoundsFailed: number;
  firstRoundFailureRate: number | null;
  landings: number;
  conflicts: number;
  conflictRate: number | null;
}

/** Judges the facts of now against what the signals were before. */
export function judgeSignals(facts: SignalFacts, before: SignalState): Signals {
  const figures = measure(facts);
  const state: SignalState = {
    backlog: switched("backlog", before, backlogOf(figures)),
    arrivals: switched("arrivals", before, arrivalsOf(figures)),
    firstRounds: switched("firstRounds", before, figures.firstRoundFailureRate),
    conflicts: switched("conflicts", before, figures.conflictRate),
  };
  return { state, advice: adviceOf(state), figures };
}

function adviceOf(state: SignalState): Signals["advice"] {
  if (state.firstRounds) return "mend-specs";
  if (state.conflicts) return "change-split";
  return state.backlog || state.arrivals ? "add-nodes" : "none";
}

/** On above the upper threshold, off below the lower one or when nothing can be said. */
function switched(name: SignalName, before: SignalState, value: number | null): boolean {
  if (value === null) return false;
  const { on, off } = signalThresholds[name];
  return before[name] ? value >= off : value > on;
}

/** More nodes help only tasks that lack nothing else, so only these count. */
function backlogOf({ startable, running }: SignalFigures): number | null {
  if (startable === 0) return null;
  return startable / running;
}

/** What was fed at once and can start at once is no sign of too few nodes, so something must wait for room. */
function arrivalsOf({ arrived, consumed, startable }: SignalFigures): number | null {
  if (arrived + consumed < leastSamples.arrivals || startable === 0) return null;
  return arrived / Math.max(1, consumed);
}

function measure({ now, pending, startable, running, samples }: SignalFacts): SignalFigures {
  const figures = { arrived: 0, consumed: 0, firstRounds: 0, firstRoundsFailed: 0, landings: 0, conflicts: 0 };
  for (const sample of samples) {
    if (sample.at <= now - signalWindowMs || sample.at > now) continue;
    if (sample.kind === "arrived") figures.arrived++;
    else if (sample.kind === "consumed") figures.consumed++;
    else if (sample.kind === "first-round") {
      figures.firstRounds++;
      if (sample.failed) figures.firstRoundsFailed++;
    } else {
      figures.landings++;
      if (sample.outcome === "conflict") figures.conflicts++;
      if (sample.outcome === "merged") figures.consumed++;
    }
  }
  return {
    windowMs: signalWindowMs,
    pending,
    startable,
    running,
    ...figures,
    firstRoundFailureRate: figures.firstRounds < leastSamples.firstRounds ? null : figures.firstRoundsFailed / figures.firstRounds,
    conflictRate: figures.landings < leastSamples.conflicts ? null : figures.conflicts / figures.landings,
  };
}
