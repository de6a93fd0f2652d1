import { type Budget, type ContractReading, type Priority, type ProjectId, protectedPaths, type Task, type TaskState } from "@dispatch/core";
import type { Manifest } from "../facts/read-manifest.ts";
import { positionOf } from "../file-text.ts";
import type { ParsedSpec } from "../parse/parse-spec.ts";
import type { SpecDocument } from "../parse/spec-document.ts";
import type { Problem, ProblemCode, Repair, RuleId } from "../problem.ts";

/** A task that the ledger holds already: what other specs may depend on. */
export interface KnownTask {
  specId: string;
  state: TaskState["kind"];
  dependsOn: readonly string[];
  after: readonly string[];
  creates: readonly string[];
  deletes: readonly string[];
  /** Absent: not known, so that nothing is said of overlaps with the task or of what it brings. */
  modifies?: readonly string[];
  /** Text of its goal, in which the symbols it brings are looked for. */
  goal?: string;
}

/** One requirement of a direction, and where it stands in the direction's file. */
export interface Requirement {
  /** Such as `REQ-1`, `REQ-DOD6`. */
  id: string;
  text: string;
  /** 1-based; 1 when absent. */
  line?: number;
}

/** Something a direction or a plan rules out. */
export interface ForbiddenTopic {
  text: string;
  /** Words or phrases of any language that name the topic; the text itself when empty. */
  keywords: readonly string[];
}

/** What is known of a direction of which ALL specs are in the set (a part of them would look like missing coverage). */
export interface DirectionFacts {
  id: string;
  /** Where problems about missing coverage are reported; the first spec of the direction when absent. */
  file?: string;
  requirements: readonly Requirement[];
  mustNot: readonly ForbiddenTopic[];
  /** Questions put to the lead; null: not known. */
  questions: readonly { id: string; answered: boolean }[] | null;
}

export type ReviewKind = NonNullable<SpecDocument["review"]>;

/** What a project allows its specs. Every part may be absent: then nothing is asked of it. */
export interface ProjectPolicy {
  /** The least review for a priority; `review:` of a spec may raise it, not lower it (F29). */
  review?: Readonly<Partial<Record<Priority, ReviewKind>>>;
  /** Most that one spec may ask for (F32). */
  budget?: Budget;
  /** Hosts that specs may reach; true: all, false: none (F33). */
  network?: boolean | readonly string[];
  /** Names in the skill index (F16). */
  skills?: readonly string[];
}

/** A contract file as it is at the base revision. */
export interface ContractFile extends ContractReading {
  file: string;
}

/**
 * What the factory knows of a project at the base revision. What is optional may be left out or be null when it is not
 * known: the questions that need it are skipped, and the rest of the rules answer as if they did not exist.
 */
export interface ProjectFacts {
  id: ProjectId;
  /** Whether the project has a verify command of its own. */
  hasVerify: boolean;
  /** Tracked paths at the base; null when the repository is not known, which skips every question of existence. */
  files: readonly string[] | null;
  /** Paths no spec may change; mostly `defaultProtectedPaths` and what the project adds. */
  protectedPaths: readonly string[];
  tasks: readonly KnownTask[];
  /** Every tracked file that `isManifest` names, read with `readManifest`. Known: VER002 checks scripts and programs. */
  manifests?: readonly Manifest[] | null;
  /** Programs of the project's machines beyond `knownExecutables` and what the manifests bring. */
  executables?: readonly string[] | null;
  /** Patterns of the shared contract (`contracts` of dispatch.yaml). */
  contracts?: readonly string[] | null;
  /** Patterns of files that several specs may change at once (`paths.shared` and `paths.generated` of dispatch.yaml). */
  common?: readonly string[] | null;
  /** Files below `contracts` and files that specs cite (`citedFiles`), read with `parseContract`. Known: F20 and CON001 look into them. */
  contractFiles?: readonly ContractFile[] | null;
  /** Bytes of tracked files, at least of those that specs name in `context` (F21). */
  sizes?: ReadonlyMap<string, number> | null;
  /** Directions whose whole set of specs is linted here (COV001, F26, F27, F28, SCOPE002). */
  directions?: readonly DirectionFacts[] | null;
  /** sha256 of files that specs name in `source`, as they are now, by path (F35). */
  sources?: ReadonlyMap<string, string> | null;
  policy?: ProjectPolicy | null;
  /** Ids that were used and taken out for good; never to be used again (ID001, DEP001). */
  retired?: readonly string[] | null;
}

/** What running a spec's verify commands on the base commit gave. `fails` is what a good spec shows. */
export interface Preflight {
  outcome: "passes" | "fails" | "not-run";
  /** The commands, as they were run, for the message. */
  command: string;
}

export interface LintFacts {
  /** All registered projects. A spec of any other is an error. */
  projects: readonly ProjectFacts[];
  /** Names in dispatch.yaml; null skips the question. `auto` is always known. */
  executors: readonly string[] | null;
  /** By `specKey(project, specId)`; specs that are not in it were not tried (VER004). */
  preflight?: ReadonlyMap<string, Preflight> | null;
}

export interface ParsedFile {
  /** The same path that was given to `parseSpec`. */
  file: string;
  parsed: ParsedSpec;
}

/** What a gate would refuse on arrival (G06), and git's own folder. */
export const defaultProtectedPaths: readonly string[] = ["**/.git/**", ...protectedPaths];

export function knownTaskOf(task: Task): KnownTask {
  const { id, dependsOn, after, creates, deletes, modifies, goal } = task.spec;
  return { specId: id, state: task.state.kind, dependsOn, after, creates, deletes, modifies, goal };
}

/** Files that specs cite as contract, by project: what the caller reads for `contractFiles` beside its patterns. */
export function citedFiles(set: readonly ParsedFile[], project: ProjectId): string[] {
  const cited = set.flatMap(({ parsed }) =>
    parsed.outcome === "parsed" && parsed.spec.project === project ? parsed.spec.contract.map((reference) => reference.split("#", 1)[0] ?? "") : [],
  );
  return [...new Set(cited)].filter((file) => file !== "").sort();
}

/** A file that could be read. */
export interface ReadableFile {
  file: string;
  parsed: Extract<ParsedSpec, { outcome: "parsed" }>;
}

export function isReadable(file: ParsedFile): file is ReadableFile {
  return file.parsed.outcome === "parsed";
}

interface ProblemPlace {
  id: RuleId;
  code: ProblemCode;
  part: string;
  message: string;
  severity?: "warning" | "error";
  repair?: Repair;
}

/** A problem of a spec at the place of one of its parts. */
export function problemAt({ file, parsed }: ReadableFile, at: ProblemPlace): Problem {
  const { id, code, part, message, severity, repair } = at;
  const field = part.startsWith("body") ? {} : { field: part };
  const mend = repair === undefined ? {} : { fix: tellRepair(repair), repair };
  return { file, ...positionOf(parsed.document.positions, part), id, severity: severity ?? "error", code, message, ...field, ...mend };
}

/** A problem of a spec at a word of its text. */
export function problemOn(
  file: ReadableFile,
  place: { line: number; column: number },
  at: { id: RuleId; code: ProblemCode; message: string; severity?: "warning" | "error" },
): Problem {
  const { id, code, message, severity } = at;
  return { file: file.file, line: place.line, column: place.column, id, severity: severity ?? "error", code, message };
}

/** What `lint --fix` would do, in words. */
function tellRepair(repair: Repair): string {
  switch (repair.do) {
    case "set":
      return `set ${repair.field} to ${typeof repair.value === "string" ? repair.value : repair.value.join("; ")}`;
    case "rename":
      return `rename ${repair.key} to ${repair.to}`;
    case "add":
      return `add ${repair.value} to ${repair.field}`;
  }
}
