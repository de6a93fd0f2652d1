import type { CommandResult, GatePolicy } from "./finding.ts";
import type { AttemptId, Oid, ProjectId } from "./ids.ts";
import type { TaskSpec, VerifyCommand } from "./spec.ts";

/** How an agent program is run: data, not code. */
export interface ExecutorDefinition {
  name: string;
  /** Program and arguments. `{prompt}` and `{promptFile}` are replaced; nothing else is, and no shell is involved. */
  command: readonly string[];
  /** How the prompt gets in: as an argument, a file named in an argument or DISPATCH_PROMPT_FILE, or standard input. */
  prompt: "argument" | "file" | "stdin";
  /** Wall time of one round in seconds. */
  timeoutSeconds: number;
  /** Added to the allow-listed environment. */
  env: Readonly<Record<string, string>>;
}

/** The executor that every factory and every node has: git itself, which takes landings back. */
export const revertExecutor = "revert";

/** What everything that one attempt starts may take together, where the node can enforce it; null: no limit. */
export interface AttemptLimits {
  memoryMb: number | null;
  /** Cores. */
  cpus: number | null;
  /** Processes and threads at once. */
  processes: number | null;
  /** What its commands may print in one round, all together. */
  outputMb: number | null;
}

export const noLimits: AttemptLimits = { memoryMb: null, cpus: null, processes: null, outputMb: null };

/** Everything a node needs to run one attempt without asking back. */
export interface AttemptJob {
  attempt: AttemptId;
  project: ProjectId;
  specId: string;
  n: number;
  branch: string;
  base: Oid;
  /** Word in the environment of everything the attempt starts. */
  token: string;
  spec: TaskSpec;
  /** The whole spec file. */
  specText: string;
  specDigest: string;
  /** The prompt of round 1. Later rounds add the findings of the round before. */
  prompt: string;
  executor: ExecutorDefinition;
  /** From the base revision or the factory, never from the attempt's branch. */
  verify: readonly VerifyCommand[];
  gates: GatePolicy;
  maxRounds: number;
  limits: AttemptLimits;
  /** Subject of the commit the wrapper makes of what the agent left uncommitted. */
  commitSubject: string;
}

/** Files that a command makes out of the others, such as lock files. */
export interface GeneratedFiles {
  /** Paths and globs of what the command writes. */
  paths: readonly string[];
  command: VerifyCommand;
}

/** Making generated files again on one exact commit. */
export interface GenerateJob {
  /** Names the run. */
  id: string;
  project: ProjectId;
  commit: Oid;
  files: readonly GeneratedFiles[];
  /** Which of the project's worktrees on the node, from 0; runs in one take turns. */
  bay: number;
}

export interface Generated {
  results: readonly CommandResult[];
  /** A child of the job's commit that changes nothing but these files; null when a command failed. */
  commit: Oid | null;
  /** Why there is none although all commands ended well. */
  problem?: string;
}

/** Running a project's verify commands on one exact commit. */
export interface VerifyJob {
  /** Names the run, so that a repeated call finds the one that is under way. */
  id: string;
  project: ProjectId;
  commit: Oid;
  verify: readonly VerifyCommand[];
  /** Which of the project's worktrees on the node, from 0; runs in one take turns. */
  bay: number;
}
