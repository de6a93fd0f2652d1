/** The lint rules of `lintRules`; SEC001 is the separate scan for secrets and destructive commands. */
export type RuleId =
  | "FM001"
  | "ID001"
  | "GOAL001"
  | "AC001"
  | "AC002"
  | "AC003"
  | "VER001"
  | "VER002"
  | "VER003"
  | "VER004"
  | "VER005"
  | "SCOPE001"
  | "SCOPE002"
  | "MOD001"
  | "MOD002"
  | "MOD003"
  | "MOD004"
  | "DEP001"
  | "DEP002"
  | "DEP003"
  | "SIZE001"
  | "AMB001"
  | "AMB002"
  | "CON001"
  | "COV001"
  | "SEC001";

type Digit = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";

/** What exactly is wrong: `F01` to `F39` for the rule of one field, a word for everything else. */
export type ProblemCode =
  | `F${"0" | "1" | "2" | "3"}${Digit}`
  | "file-too-large"
  | "front-matter-absent"
  | "front-matter-open"
  | "front-matter-empty"
  | "front-matter-not-a-map"
  | "second-document"
  | "nesting"
  | "tab"
  | "yaml"
  | "duplicate-key"
  | "bad-key"
  | "alias"
  | "tag"
  | "unknown-key"
  | "status-key"
  | "fence-open"
  | "id-differs-from-file"
  | "id-duplicate"
  | "id-retired"
  | "goal-empty"
  | "goal-names-nothing"
  | "acceptance-absent"
  | "acceptance-unread"
  | "acceptance-item-empty"
  | "acceptance-many"
  | "acceptance-uncheckable"
  | "failure-untested"
  | "verify-absent"
  | "script-unknown"
  | "program-unknown"
  | "test-path-unknown"
  | "check-file-unknown"
  | "check-file-foreign"
  | "verify-vacuous"
  | "verify-passes"
  | "needs-person"
  | "do-not-empty"
  | "do-not-covers-own"
  | "topic-forbidden"
  | "nothing-to-lock"
  | "path-form"
  | "path-protected"
  | "locks-many-entries"
  | "locks-many-files"
  | "locks-everything"
  | "overlap"
  | "overlap-merge"
  | "dependency-unknown"
  | "dependency-self"
  | "dependency-cancelled"
  | "dependency-retired"
  | "dependency-parked"
  | "dependency-cycle"
  | "dependency-hidden"
  | "dependency-false"
  | "estimate-small"
  | "estimate-large"
  | "files-many"
  | "words-many"
  | "goals-many"
  | "undecided"
  | "ellipsis-in-command"
  | "vague"
  | "contract-uncited"
  | "contract-incomplete"
  | "requirement-uncovered"
  | "requirement-unserved"
  | "secret"
  | "destructive-command";

export interface Position {
  /** 1-based. */
  line: number;
  /** 1-based, in UTF-16 code units; one past the end of the line at most. */
  column: number;
}

/** An edit of front matter that cannot change what a spec means. */
export type Repair =
  /** Gives a field a value: in place of the one it has, or as a new line. */
  | { do: "set"; field: string; value: string | readonly string[] /** What stands there now, when that matters. */; from?: string }
  | { do: "rename"; key: string; to: string }
  /** Appends to a list of spec ids; the field is added when the file has none. */
  | { do: "add"; field: "depends_on" | "after"; value: string };

/** One thing a person has to change in a spec file, or may want to. */
export interface Problem extends Position {
  file: string;
  id: RuleId;
  severity: "error" | "warning";
  code: ProblemCode;
  /** What is wrong and what would be right. */
  message: string;
  /** For example `modifies[0]`, when the problem is about a front matter field. */
  field?: string;
  /** What `lint --fix` would do, in words. */
  fix?: string;
  /** The same as data. */
  repair?: Repair;
}

/** A problem before it is known in which file it is. */
export type Remark = Omit<Problem, "file">;

/** `file:line:col id severity message`, on one line. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, id, severity, message } = problem;
  return `${file}:${line}:${column} ${id} ${severity} ${message.replace(/\s*\n\s*/g, " ")}`;
}

/** By file, position, rule and code; the same problems always come in the same order. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return [...problems].sort(compareProblems);
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

function compareProblems(a: Problem, b: Problem): number {
  return (
    compareText(a.file, b.file) ||
    a.line - b.line ||
    a.column - b.column ||
    compareText(a.id, b.id) ||
    compareText(a.code, b.code) ||
    compareText(a.message, b.message)
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
