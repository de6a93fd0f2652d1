import type { TestsMin } from "./spec.ts";

/** What a change must show; packages/gates/README.md has the list. */
export type GateId = "G01" | "G02" | "G03" | "G04" | "G05" | "G06" | "G07" | "G08" | "G09" | "G10" | "G11" | "G12" | "G13" | "G14" | "G15";

/**
 * One reason why a change may not go on (`block`) or a remark beside it (`note`).
 * A finding quotes what was found; it never rests on what an agent said.
 */
export interface Finding {
  gate: GateId | "landing" | "agent";
  severity: "block" | "note";
  /** Repository-relative POSIX path, when the finding is about a file. */
  path?: string;
  /** 1-based line in the new version of the file. */
  line?: number;
  found: string;
  why: string;
  hint: string;
}

/** What one command returned. The only kind of evidence there is. */
export interface CommandResult {
  command: string;
  outcome: "exited" | "timed-out" | "killed" | "not-started";
  /** Set when the outcome is `exited`. */
  exitCode: number | null;
  signal: string | null;
  durationMs: number;
  /** All bytes written to stdout and stderr, also those that were not kept. */
  outputBytes: number;
  /** The end of the output, at most 64 KiB, as text. */
  outputTail: string;
}

/** A test as its runner names it. */
export interface TestName {
  /** File, package, crate or group; empty when the runner does not say. */
  suite: string;
  name: string;
}

/** What the command of one acceptance item returned. */
export interface AcceptanceResult {
  /** Id of the item, such as `AC2`. */
  item: string;
  /** As the spec says it; empty: that it succeeds. */
  expected: string;
  met: boolean;
  result: CommandResult;
}

export function hasBlocking(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === "block");
}

/** Gates whose findings a waiver may lift: those that judge the lines and files of a path. */
export const waivableGates = ["G02", "G05", "G06", "G07", "G08", "G09", "G14"] as const satisfies readonly GateId[];
export type WaivableGate = (typeof waivableGates)[number];

/** Lets the findings of one gate pass on some paths, for a reason that is shown. Stands in the spec or in the policy, never on a branch. */
export interface Waiver {
  gate: WaivableGate;
  /** Paths and globs. */
  paths: readonly string[];
  because: string;
}

/** What a project demands of a change and what it lets its gates overlook. Read at the base revision, never on an agent's branch. */
export interface GatePolicy {
  /** Paths and globs in which G02 looks for nothing: files whose subject placeholder words are. */
  placeholderAllow: readonly string[];
  /** Words that G02 takes for a mark besides its own; matched without regard to case. */
  placeholderWords: readonly string[];
  /** Paths and globs in which G07 looks for nothing. */
  markerAllow: readonly string[];
  /** Paths and globs that every task may change. `forbids` of a spec still wins. */
  alwaysAllowed: readonly string[];
  /** How many tests of a kind must run where the spec says nothing. Absent: none is demanded. */
  testsMin?: TestsMin;
  /** Paths and globs that need a person (G06) besides those that always do. */
  protectedPaths: readonly string[];
  /** Paths and globs of the shared contract (G14). */
  contracts: readonly string[];
  /** Larger files are red (G09). */
  maxFileBytes: number;
  waivers: readonly Waiver[];
}

/** Grants nothing, and demands no more than the gates do by themselves. */
export const defaultGatePolicy: GatePolicy = {
  placeholderAllow: [],
  placeholderWords: [],
  markerAllow: [],
  alwaysAllowed: [],
  protectedPaths: [],
  contracts: [],
  maxFileBytes: 500 * 1024,
  waivers: [],
};
