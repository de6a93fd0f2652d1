import type { ProjectId, Task, TaskState } from "@dispatch/core";
import { positionOf } from "./file-text.ts";
import type { ParsedSpec } from "./parse-spec.ts";
import type { Problem, ProblemCode, RuleId } from "./problem.ts";

/** A task that the ledger holds already: what other specs may depend on. */
export interface KnownTask {
  specId: string;
  state: TaskState["kind"];
  dependsOn: readonly string[];
  after: readonly string[];
  creates: readonly string[];
  deletes: readonly string[];
}

export interface ProjectFacts {
  id: ProjectId;
  /** Whether the project has a verify command of its own. */
  hasVerify: boolean;
  /** Tracked paths at the base; null when the repository is not known, which skips every question of existence. */
  files: readonly string[] | null;
  /** Paths no spec may change; mostly `defaultProtectedPaths` and what the project adds. */
  protectedPaths: readonly string[];
  tasks: readonly KnownTask[];
}

export interface LintFacts {
  /** All registered projects. A spec of any other is an error. */
  projects: readonly ProjectFacts[];
  /** Names in dispatch.yaml; null skips the question. `auto` is always known. */
  executors: readonly string[] | null;
}

export interface ParsedFile {
  /** The same path that was given to `parseSpec`. */
  file: string;
  parsed: ParsedSpec;
}

/** Git's own files, what runs outside of the gates, the policy the gates come from, and secrets. */
export const defaultProtectedPaths: readonly string[] = [
  "**/.git/**",
  ".github/workflows/**",
  ".gitlab-ci.yml",
  ".dispatch.yaml",
  ".env*",
  "**/.env",
  "**/id_rsa*",
];

export function knownTaskOf(task: Task): KnownTask {
  const { id, dependsOn, after, creates, deletes } = task.spec;
  return { specId: id, state: task.state.kind, dependsOn, after, creates, deletes };
}

/** A file that could be read. */
export interface ReadableFile {
  file: string;
  parsed: Extract<ParsedSpec, { outcome: "parsed" }>;
}

export function isReadable(file: ParsedFile): file is ReadableFile {
  return file.parsed.outcome === "parsed";
}

/** A problem of a spec at the place of one of its parts. */
export function problemAt(
  { file, parsed }: ReadableFile,
  at: { id: RuleId; code: ProblemCode; part: string; message: string; severity?: "warning" },
): Problem {
  const { id, code, part, message, severity } = at;
  const field = part.startsWith("body") ? {} : { field: part };
  return { file, ...positionOf(parsed.document.positions, part), id, severity: severity ?? "error", code, message, ...field };
}
