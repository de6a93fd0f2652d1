import type { Waiver } from "./finding.ts";
import type { ProjectId } from "./ids.ts";

export type TaskType = "feature" | "bugfix" | "refactor" | "test" | "docs" | "chore" | "contract" | "plan" | "research" | "integration" | "stage";

/** 0 is the most urgent. */
export type Priority = 0 | 1 | 2 | 3;

/** One command that decides whether a change is good. */
export interface VerifyCommand {
  /** Run with `sh -c` in the worktree. */
  run: string;
  /** Folder below the repository root; `.` for the root itself. */
  cwd: string;
  timeoutSeconds: number;
  env: Readonly<Record<string, string>>;
}

/** Fields that specs of older ledgers lack, as they were meant. */
export const laterSpecFields = {
  resources: { cpus: 0, memoryMb: 0, gpus: 0 },
  nodes: [],
  nodeLabels: [],
  budget: { tokens: null, usd: null, turns: null },
  contract: [],
  direction: null,
  acceptance: [],
  evidence: [],
  testsMin: {},
  waivers: [],
} as const satisfies Partial<TaskSpec>;

/** What a task takes of its node while it runs. 0: nothing that has to be counted. */
export interface Resources {
  /** Processor cores; parts of one are allowed. */
  cpus: number;
  /** Mebibytes. */
  memoryMb: number;
  gpus: number;
}

/** What a task may use up. null: as much as the project allows. */
export interface Budget {
  tokens: number | null;
  usd: number | null;
  turns: number | null;
}

/** One acceptance item that a command shows. */
export interface AcceptanceCommand {
  /** `AC1`, `AC2`, … as in the spec. */
  id: string;
  /** The claim. */
  text: string;
  /** Run with `sh -c` at the root of the worktree. */
  command: string;
  /** As written: `exit 0`, `equals "1"`, `HTTP 401`; empty: that it succeeds. */
  expected: string;
}

/** Where the proof of one QA scenario is to lie. */
export interface DeclaredEvidence {
  scenario: string;
  /** A file, or a folder that holds it. */
  path: string;
  /** A person or a tool that the factory does not have goes through it. */
  manual: boolean;
}

/** `ui`: unit tests of a front end. */
export type TestKind = "unit" | "ui" | "e2e";

export type TestsMin = Readonly<Partial<Record<TestKind, number>>>;

/** Numbers as a file gives them, without the kinds that it does not name. */
export function testsMinOf({ unit, ui, e2e }: { readonly [kind in TestKind]?: number | undefined }): TestsMin {
  return { ...(unit === undefined ? {} : { unit }), ...(ui === undefined ? {} : { ui }), ...(e2e === undefined ? {} : { e2e }) };
}

/** What the factory itself needs of a checked spec. The agent gets the whole text. */
export interface TaskSpec {
  /** The spec's `task_id`, for example `S01-schedule-schema`. */
  id: string;
  project: ProjectId;
  title: string;
  type: TaskType;
  priority: Priority;
  /** Spec ids of the same project that must be merged before this one starts. */
  dependsOn: readonly string[];
  /** Spec ids that must have ended, merged or not, before this one starts. */
  after: readonly string[];
  /** Paths or globs, relative to the repository root. With `creates` and `deletes` these are the lock. */
  modifies: readonly string[];
  creates: readonly string[];
  deletes: readonly string[];
  forbids: readonly string[];
  reads: readonly string[];
  /** Empty: the project's verify command decides. */
  verify: readonly VerifyCommand[];
  /** Name of an executor in dispatch.yaml, or `auto` for the project's. */
  executor: string;
  estimateMinutes: number;
  timeoutMinutes: number;
  /** Attempts allowed before the task is parked, 1 to 4. */
  attempts: number;
  allowEmpty: boolean;
  /** Subject line of the commit. */
  commit: string;
  goal: string;
  /** Words to find the spec by. */
  labels: readonly string[];
  resources: Resources;
  /** Names of the nodes it may run on; empty: any. */
  nodes: readonly string[];
  /** Labels that its node must have, all of them. */
  nodeLabels: readonly string[];
  budget: Budget;
  /** Entries of the shared contract it works against, such as `SHARED_CONTEXT.md#POST /schedule`. */
  contract: readonly string[];
  /** Id of the direction it came from; null for a spec written by hand. */
  direction: string | null;
  /** Those items that a command shows; the others are the reader's. */
  acceptance: readonly AcceptanceCommand[];
  evidence: readonly DeclaredEvidence[];
  /** How many tests of a kind must run; a kind that is absent is the project's to demand. */
  testsMin: TestsMin;
  /** Findings that the author of the spec lets pass. */
  waivers: readonly Waiver[];
}
