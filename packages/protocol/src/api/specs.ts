export interface SpecProblem {
  file: string;
  line: number;
  column: number;
  id: string;
  severity: string;
  message: string;
  /** What exactly is wrong, such as `F03` or `overlap`. */
  code?: string;
  /** The front matter field it is about. */
  field?: string;
  /** What dispatch lint --fix would do, in words. */
  fix?: string;
}

/** A revision of a task's spec as a row. */
export interface SpecRevisionRow {
  revision: number;
  digest: string;
  /** When it was taken in, ms since the epoch. */
  at: number;
  /** Who handed it in; null in logs from before that was kept. */
  by: string | null;
  /** Fields and sections that differ from the revision before. */
  changed: readonly string[];
}

/** One revision of a task's spec, and the list of all. */
export interface SpecView {
  task: string;
  /** The spec file, relative to the factory. */
  path: string;
  revision: number;
  /** The newest revision: the one to name as baseRevision of an edit. */
  current: number;
  digest: string;
  text: string;
  /** Oldest first. */
  history: readonly SpecRevisionRow[];
}

export interface PutSpecRequest {
  /** The whole new spec file. */
  text: string;
  /** The revision that was edited. */
  baseRevision: number;
}

export interface PutSpecView {
  task: string;
  /** The revision that has the text now. */
  revision: number;
  digest: string;
  /** Fields and sections that the edit changed; empty when the text was there already. */
  changed: readonly string[];
  /** Warnings. */
  problems: readonly SpecProblem[];
}

/** Facts of the 409 for an edit that was made from an older revision. */
export interface SpecConflictFacts {
  task: string;
  revision: number;
  baseRevision: number;
  /** What changed between the two. */
  changed: readonly string[];
  current: string;
  yours: string;
  base: string;
}
