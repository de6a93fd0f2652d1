import { resolve } from "node:path";
import type { AttemptId, CarId, Oid, ProjectId, ProjectSource, Repositories } from "@dispatch/core";
import { advanceMain } from "./advance-main.ts";
import { buildCar, takeGenerated } from "./build-car.ts";
import { fetchAttempt, sendCommit } from "./carry-attempts.ts";
import { createHubs, guarded } from "./create-hubs.ts";
import { type FoundLanding, findLanding, pathsOnMain } from "./find-landing.ts";
import { fetchCheckpoint, keepCheckpoints } from "./forecast/carry-checkpoints.ts";
import {
  type Forecast,
  type ForecastMemory,
  type ForecastPolicy,
  forecastConflicts,
  type LiveBranch,
  nothingShared,
} from "./forecast/forecast-conflicts.ts";
import { forgetCars } from "./forget-cars.ts";
import type { Environment } from "./git-environment.ts";
import { type HandOver, handOver } from "./hand-over.ts";
import { type Claim, checkObjects, findHolders, type Holding, type MainHistory, mainHistory } from "./inspect-hub.ts";
import { type KeptRef, keptRefs, measureWork, patchOf, type WorkSize } from "./kept-work.ts";
import { checkOrigin } from "./look-at-origin.ts";
import type { DialNode } from "./node-line.ts";
import { type BaseView, openBase } from "./open-base.ts";
import type { Git, GitOptions } from "./open-git.ts";
import { readMain } from "./open-hub.ts";
import { isWorthPacking, measureLitter, packObjects, packRefs } from "./pack-hub.ts";
import { type PrunedRef, prunedRefs, pruneRefs } from "./prune-refs.ts";
import { publishMain } from "./publish-main.ts";
import { readBlobs, readFile, readFiles } from "./read-files.ts";
import { diffOf, firstParentLog, landedSpecs, listFiles, type MainCommit } from "./read-history.ts";
import { takeInOrigin } from "./take-in-origin.ts";
import { createTurns } from "./take-turns.ts";

export interface RepositoriesOptions {
  /** Folder of the hubs, one `<project>.git` each. This process is the only one that writes there. */
  hubDir: string;
  /** Default: the environment of the process. */
  env?: Environment;
  /** Milliseconds of silence after which a conversation with origin or a node is given up. Default: two minutes. */
  remoteQuietMs?: number;
  /** Opens a line to a repository of a node that git cannot reach by itself (`dispatch-node:…`). */
  dial?: DialNode;
}

export interface GitRepositories extends Repositories {
  /** Throws REPOSITORY_INVALID when a repository of this machine cannot be a project; makes nothing. */
  checkOrigin(project: ProjectSource): Promise<void>;
  /**
   * The newest main that this machine has, to be looked at: the hub's, or while there is no hub that of an origin that is
   * a folder here. Undefined when it lies on a network; REPOSITORY_INVALID when the folder is no such repository.
   */
  openBase(project: ProjectSource): Promise<BaseView | undefined>;
  /** The newest `limit` commits of main's first-parent line, newest first. */
  firstParentLog(project: ProjectId, limit: number): Promise<readonly MainCommit[]>;
  /** What landed with a commit of main's first-parent line, which may be named by its first digits. */
  findLanding(project: ProjectId, name: string): Promise<FoundLanding>;
  /** Of these paths, those that main has now. */
  pathsOnMain(project: ProjectId, paths: readonly string[]): Promise<readonly string[]>;
  /** Ids of the specs that landed since the hub was made. */
  landedSpecs(project: ProjectId): Promise<readonly string[]>;
  /** Every ref that holds what attempts left. */
  keptRefs(project: ProjectId): Promise<readonly KeptRef[]>;
  /** From the base, or from where it left main when there is none. */
  measureWork(project: ProjectId, base: Oid | null, commit: Oid): Promise<WorkSize>;
  /** The change from the base as `git apply` takes it. */
  patchOf(project: ProjectId, base: Oid | null, commit: Oid): Promise<Buffer>;
  /** Makes a branch in a person's repository that holds work of the hub; one that exists is not moved. */
  handOver(project: ProjectId, work: HandOver): Promise<"made" | "there">;
  /** What main holds beyond what it held when the hub was made; `known` is what else is known of that. */
  mainHistory(project: ProjectId, known: Oid | null): Promise<MainHistory>;
  findHolders(project: ProjectId, claims: readonly Claim[]): Promise<readonly Holding[]>;
  /** What is missing or broken, in git's words. */
  checkObjects(project: ProjectId): Promise<readonly string[]>;
  /** Lets go of refs that hold what attempts left, and writes down which. */
  pruneRefs(project: ProjectId, refs: readonly Omit<PrunedRef, "at">[], at: number): Promise<readonly PrunedRef[]>;
  prunedRefs(project: ProjectId): Promise<readonly PrunedRef[]>;
  /** Takes away the pins of cars that are not in flight. Returns how many went. */
  forgetCars(project: ProjectId, inFlight: ReadonlySet<CarId>): Promise<number>;
  /** Packs refs and objects when that is worth it, for at most about `limitMs`; drops nothing. */
  packHub(project: ProjectId, limitMs: number, giveUp?: AbortSignal): Promise<"packed" | "cut-off" | "not-worth-it">;
  /** Brings what a live attempt had at the end of its newest round from its node. */
  fetchCheckpoint(project: ProjectId, attempt: AttemptId, url: string): Promise<void>;
  /** The checkpoints of these attempts; those of all others are removed. */
  keepCheckpoints(project: ProjectId, live: ReadonlySet<AttemptId>): Promise<readonly LiveBranch[]>;
  /** Which branches will meet main or each other; they stand in the order in which they are expected to land. */
  forecast(project: ProjectId, branches: readonly LiveBranch[], policy?: ForecastPolicy): Promise<Forecast>;
}

/** The hub repositories of a factory, with real git. */
export function createRepositories(options: RepositoriesOptions): GitRepositories {
  const gitOptions: GitOptions = { env: options.env ?? process.env, remoteQuietMs: options.remoteQuietMs ?? 120_000, dial: options.dial };
  const inTurn = createTurns();
  const hubs = createHubs(resolve(options.hubDir), gitOptions);
  const { gitOf, watched } = hubs;
  const sending = new Map<string, Promise<void>>();

  /** Acts that write refs or an index of the hub, one at a time. */
  function locally<T>(project: ProjectId, act: (git: Git) => Promise<T>): Promise<T> {
    return inTurn(`hub ${project}`, () => watched(project, act, `work in the hub of ${project}`));
  }

  /** Conversations with origin, one at a time; they may take long and do not hold up the hub. */
  function withOrigin<T>(project: ProjectId, act: (git: Git) => Promise<T>): Promise<T> {
    return inTurn(`origin ${project}`, () => watched(project, act, `work with origin of ${project}`));
  }

  /** Attempts on one base start at once; a second push of the same commit would find its ref locked, so it waits for the first. */
  function sendOnce(project: ProjectId, commit: Oid, url: string): Promise<void> {
    const key = `${commit} ${url}`;
    const send = (): Promise<void> => watched(project, (git) => sendCommit(git, commit, url), `send ${commit}`);
    const sent = sending.get(key) ?? send().finally(() => sending.delete(key));
    sending.set(key, sent);
    return sent;
  }

  return {
    checkOrigin: (project) => checkOrigin(project, gitOptions),
    openBase: (project) => openBase(hubs.pathOf(project.id), project, gitOptions),
    openHub: (project) => inTurn(`hub ${project.id}`, () => hubs.open(project)),
    mainOf: (project) => readMain(gitOf(project)),
    sendCommit: sendOnce,
    fetchAttempt: (project, attempt, url, held) =>
      inTurn(`attempt ${attempt}`, () => watched(project, (git) => fetchAttempt(git, attempt, url, held), `fetch ${attempt}`)),
    diffOf: (project, base, tip) => diffOf(gitOf(project), base, tip),
    // Each has an index and a ref of its own, so that main does not wait for cars behind.
    buildCar: (project, input) =>
      inTurn(`car ${project} ${input.car}`, () => watched(project, (git) => buildCar(git, input), `build car ${input.car}`)),
    takeGenerated: (project, input, built, made) =>
      watched(project, (git) => takeGenerated(git, input, built, made), `take in the generated files of car ${input.car}`),
    advanceMain: (project, commit, onto) => locally(project, (git) => advanceMain(git, commit, onto)),
    takeInOrigin: (project) => withOrigin(project.id, (git) => takeInOrigin(git, project, gitOptions)),
    publishMain: (project) => withOrigin(project.id, (git) => publishMain(git, project, gitOptions)),
    listFiles: (project, revision) => listFiles(gitOf(project), revision),
    readFile: (project, revision, path) => readFile(gitOf(project), revision, path),
    readFiles: (project, revision, paths) => readFiles(gitOf(project), revision, paths),
    readBlobs: (project, blobs) => readBlobs(gitOf(project), blobs),
    firstParentLog: (project, limit) => firstParentLog(gitOf(project), limit),
    findLanding: (project, name) => findLanding(gitOf(project), name),
    pathsOnMain: (project, paths) => pathsOnMain(gitOf(project), paths),
    landedSpecs: (project) => landedSpecs(gitOf(project)),
    keptRefs: (project) => keptRefs(gitOf(project)),
    measureWork: (project, base, commit) => measureWork(gitOf(project), base, commit),
    patchOf: (project, base, commit) => patchOf(gitOf(project), base, commit),
    handOver: (project, work) => handOver(gitOf(project), work, gitOptions),
    mainHistory: (project, known) => mainHistory(gitOf(project), known),
    findHolders: (project, claims) => findHolders(gitOf(project), claims),
    checkObjects: (project) => checkObjects(gitOf(project)),
    pruneRefs: (project, refs, at) => locally(project, (git) => pruneRefs(git, refs, at)),
    prunedRefs: (project) => prunedRefs(gitOf(project)),
    forgetCars: (project, inFlight) => locally(project, (git) => forgetCars(git, inFlight)),
    async packHub(project, limitMs, giveUp) {
      if (!isWorthPacking(await measureLitter(gitOf(project)))) return "not-worth-it";
      await locally(project, packRefs);
      return guarded(async () => ((await packObjects(gitOf(project), limitMs, giveUp)) ? "packed" : "cut-off"), `pack the hub of ${project}`);
    },
    ...forecasting(gitOf, inTurn),
  };
}

/** None of these waits for the hub's turn, or takes it: landing is never held up. */
function forecasting(
  gitOf: (project: ProjectId) => Git,
  inTurn: ReturnType<typeof createTurns>,
): Pick<GitRepositories, "fetchCheckpoint" | "keepCheckpoints" | "forecast"> {
  const memories = new Map<ProjectId, ForecastMemory>();
  const memoryOf = (project: ProjectId): ForecastMemory => {
    const known: ForecastMemory = memories.get(project) ?? new Map();
    memories.set(project, known);
    return known;
  };
  /** What was kept for the same attempts, when nothing has come since: only this process brings checkpoints. */
  const kept = new Map<ProjectId, { live: string; arrivals: number; branches: readonly LiveBranch[] }>();
  const arrivals = new Map<ProjectId, number>();
  const arrivalsOf = (project: ProjectId): number => arrivals.get(project) ?? 0;
  const keepKnown = async (project: ProjectId, live: ReadonlySet<AttemptId>): Promise<readonly LiveBranch[]> => {
    const now = { live: [...live].sort().join("\n"), arrivals: arrivalsOf(project) };
    const known = kept.get(project);
    if (known?.live === now.live && known.arrivals === now.arrivals) return known.branches;
    const branches = await keepCheckpoints(gitOf(project), live);
    kept.set(project, { ...now, branches });
    return branches;
  };
  return {
    fetchCheckpoint: (project, attempt, url) =>
      inTurn(`checkpoint ${attempt}`, () =>
        fetchCheckpoint(gitOf(project), attempt, url).finally(() => arrivals.set(project, arrivalsOf(project) + 1)),
      ),
    keepCheckpoints: (project, live) => inTurn(`checkpoints ${project}`, () => keepKnown(project, live)),
    forecast: (project, branches, policy = nothingShared) =>
      guarded(() => forecastConflicts(gitOf(project), branches, { memory: memoryOf(project), policy }), `forecast conflicts of ${project}`),
  };
}
