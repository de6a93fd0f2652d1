import type { Attempt, Car, CollectState, Project, TokenUsage } from "@dispatch/core";
import type { NodeRow } from "./nodes.ts";
import type { TaskRow } from "./tasks.ts";
import type { ForecastRow, StandingRow, TroubleRow } from "./why.ts";

export interface ProjectRow {
  id: string;
  placing: Project["placing"];
  landing: Project["landing"];
  main: string;
  collect: CollectState;
  policy: "continuous" | "on-collect";
  /** Number of tasks in each state. */
  counts: Readonly<Record<string, number>>;
  /** What is on its way to main, in order. */
  train: readonly CarRow[];
}

/** A candidate tree with branches on it. */
export interface CarRow {
  id: string;
  kind: Car["kind"];
  state: Car["state"]["kind"];
  /** Task ids, in the order in which they land. */
  members: readonly string[];
  /** Cars whose branches it holds too. */
  ahead: readonly string[];
}

export interface StatusView {
  at: number;
  lastSeq: number;
  draining: boolean;
  projects: readonly ProjectRow[];
  nodes: readonly NodeRow[];
  tasks: readonly TaskRow[];
  /** The occupied slots. */
  sessions: readonly {
    attempt: string;
    task: string;
    node: string;
    round: number;
    since: number;
    state: Attempt["state"]["kind"];
    tokens: TokenUsage | null;
  }[];
  troubles: readonly TroubleRow[];
  /** Conflicts that are coming among what is on its way to main; `uncompared` pairs more have paths in common. */
  forecast: { conflicts: readonly ForecastRow[]; uncompared: number };
  /** Expected end of all work that can go on by itself, ms since the epoch; null when nothing can. */
  eta: number | null;
  /** Whether anything moves, project by project. */
  standings: readonly StandingRow[];
  signals: SignalsView;
}

/** Whether the factory has too few nodes, too weak specs, or a split that collides; judged over all projects. */
export interface SignalsView {
  state: { backlog: boolean; arrivals: boolean; firstRounds: boolean; conflicts: boolean };
  advice: "add-nodes" | "mend-specs" | "change-split" | "none";
  /** What to do and the figures it rests on, as a sentence; empty when there is nothing to do. */
  text: string;
  figures: {
    /** How far back rates look. */
    windowMs: number;
    /** Tasks without a session that are not over, and those of them that lack nothing but room. */
    pending: number;
    startable: number;
    running: number;
    /** Specs fed, and specs merged or cancelled, in the window. */
    arrived: number;
    consumed: number;
    firstRounds: number;
    firstRoundsFailed: number;
    /** 0 to 1; null while there are too few to say. */
    firstRoundFailureRate: number | null;
    landings: number;
    conflicts: number;
    conflictRate: number | null;
    /** Share of the slot time of the window that was used while work was there, 0 to 1. */
    utilisation: number;
  };
}
