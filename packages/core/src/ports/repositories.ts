import type { Candidate, ConflictReport } from "../event.ts";
import type { AttemptId, CarId, Oid, ProjectId, TaskId } from "../ids.ts";

export interface ProjectSource {
  id: ProjectId;
  /** Path or URL of the repository the project is published to. */
  repo: string;
  branch: string;
  /** Main goes to a branch of its own, with a pull request into `branch`; left out, it is pushed to `branch` itself. */
  pullRequest?: PullRequestRoute;
}

/** A program that opens pull requests: GitHub's, or GitLab's. */
export type Forge = "gh" | "glab";

export interface PullRequestRoute {
  /** The branch at origin that only the factory moves. */
  branch: string;
  forge: Forge;
}

/** A change as git prints it, for the gates to read. */
export interface DiffText {
  /** `diff-tree -r -z --no-renames --raw` */
  raw: string;
  /** `diff-tree -p -U0 --no-renames` */
  patch: string;
  /** Bytes of the blobs that `raw` names, before and after. */
  sizes: ReadonlyMap<Oid, number>;
}

/** A branch that is to land. */
export interface CarMember {
  task: TaskId;
  specId: string;
  attempt: AttemptId;
  tip: Oid;
  /** Base the attempt started from. */
  base: Oid;
  subject: string;
  executor: string;
  /** ms since the epoch; fixed, so that building again gives the same commit. */
  at: number;
}

export interface CarInput {
  car: CarId;
  onto: Oid;
  /** All that it is to hold, in the order in which they land; at least one. */
  members: readonly CarMember[];
  /** Paths and globs of files in which changes of several may be merged, where git merges them cleanly. */
  shared: readonly string[];
  /** Paths and globs of files that are made again where changes of several meet. */
  generated: readonly string[];
  /** Names the verify run that will judge it. */
  gateRun: string;
  /** Names the verify commands and the environment they ran in. */
  gateHash: string;
}

/** What main would be with all members on it that fit. `candidate` is null when none does. */
export interface BuiltCar {
  candidate: Candidate | null;
  held: readonly TaskId[];
  /** Main has something else by now where these changed it. */
  refused: readonly { task: TaskId; report: ConflictReport }[];
  /** They met an earlier member of the same car. */
  deferred: readonly { task: TaskId; paths: readonly string[] }[];
  /** Generated files that several changed: in the candidate they are as one of them left them, and have to be made again. */
  outdated: readonly string[];
}

/** A child of a car's candidate in the repository of a node. */
export interface GeneratedCommit {
  commit: Oid;
  /** The ref that holds it there. */
  ref: string;
  url: string;
}

export type AdvanceOutcome = { outcome: "advanced" } | { outcome: "main-moved"; main: Oid };

export type TakeInOutcome =
  | { outcome: "unchanged"; main: Oid }
  /** Origin has commits of others; `candidate` holds them together with ours and waits for its tests. */
  | { outcome: "ahead"; candidate: Oid; commits: number }
  /** `hub` is the folder from which a person can fetch what landed here. */
  | { outcome: "conflict"; paths: readonly string[]; origin: Oid; hub: string };

/** `url`: the pull request that brings the commit to origin's branch. */
export type PublishOutcome = { outcome: "published"; commit: Oid; url?: string } | { outcome: "origin-moved" };

/** The hub: one bare repository per project on the controller, and the only writer of its main. */
export interface Repositories {
  /** Makes or opens the hub, takes origin's branch as main when the hub is new, repairs what a crash left. Returns main. */
  openHub(project: ProjectSource): Promise<Oid>;
  mainOf(project: ProjectId): Promise<Oid>;
  /** Pushes a commit into a node's repository, where it is kept under refs/dispatch/base/. */
  sendCommit(project: ProjectId, commit: Oid, url: string): Promise<void>;
  /** Brings the result and salvage refs of an attempt into the hub and makes sure that they hold these commits. */
  fetchAttempt(project: ProjectId, attempt: AttemptId, url: string, held: { tip: Oid | null; salvage: Oid | null }): Promise<void>;
  /** The change from the merge base of main and the tip. */
  diffOf(project: ProjectId, base: Oid, tip: Oid): Promise<DiffText>;
  /** Builds a car without moving anything. The same input gives the same commits. */
  buildCar(project: ProjectId, input: CarInput): Promise<BuiltCar>;
  /** The built car with generated files as a node made them again. GIT_FAILED when that commit changes anything else. */
  takeGenerated(project: ProjectId, input: CarInput, built: BuiltCar, made: GeneratedCommit): Promise<Candidate>;
  /** Compare-and-swap of main, then the proof that the commit is on it. Safe to repeat. */
  advanceMain(project: ProjectId, commit: Oid, onto: Oid): Promise<AdvanceOutcome>;
  /** Fetches origin and builds what main would be with its commits taken in. Moves nothing. */
  takeInOrigin(project: ProjectSource): Promise<TakeInOutcome>;
  /** Pushes main to origin by fast-forward only: to its branch, or to one with a pull request into it. Safe to repeat. */
  publishMain(project: ProjectSource): Promise<PublishOutcome>;
  /** Paths of all files in a revision. */
  listFiles(project: ProjectId, revision: Oid): Promise<readonly string[]>;
  /** Text of a file in a revision, or undefined when it is not there. */
  readFile(project: ProjectId, revision: Oid, path: string): Promise<string | undefined>;
  /** Texts of files in a revision by path; those that are not there, links and folders are left out. */
  readFiles(project: ProjectId, revision: Oid, paths: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Texts of blobs by their ids, of those that are there. */
  readBlobs(project: ProjectId, blobs: readonly Oid[]): Promise<ReadonlyMap<Oid, string>>;
}
