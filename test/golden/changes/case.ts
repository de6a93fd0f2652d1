import type { GateId, GatePolicy, TaskSpec } from "@dispatch/core";
import { aSpec as aPlainSpec } from "../../kit/build-facts.ts";

/** A file of a small tree: its text, or a mode with text. `160000` takes a commit id as text. */
export type FileText = string | { mode: "100644" | "100755" | "120000" | "160000"; text: string };
export type Tree = Readonly<Record<string, FileText>>;

/** One change, and the findings that a person expects to block it. */
export interface ChangeCase {
  name: string;
  language: string;
  /** What differs from a spec that owns everything. */
  spec?: Partial<TaskSpec>;
  /** What differs from a policy that grants nothing. */
  policy?: Partial<GatePolicy>;
  before: Tree;
  after: Tree;
  /** `line` is left out where the finding is about the path or the change as a whole. */
  expect: readonly { gate: GateId; path?: string; line?: number }[];
}

/** A spec that owns the whole tree. */
export function aSpec(change: Partial<TaskSpec> = {}): TaskSpec {
  return aPlainSpec("S01-example", { project: "posts", priority: 1, modifies: ["**"], ...change });
}
