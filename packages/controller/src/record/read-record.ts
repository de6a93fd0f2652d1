import { type AttemptId, type Finding, hasBlocking, type Oid, type ProjectId, type StoredEvent, type TaskId, type World } from "@dispatch/core";
import { foldEvents } from "@dispatch/store";

/** What an attempt left when it was collected, or retired. */
export interface CollectedWork {
  tip: Oid | null;
  salvage: Oid | null;
}

/** What the log says of a project's main. */
export interface MainRecord {
  /** Main when the ledger first heard of the project. */
  start: Oid | null;
  /** Commits whose tests were green, each with the tree they ran on. */
  green: ReadonlyMap<Oid, Oid>;
  /** Moves of main that took in commits of others. */
  takenIn: readonly { from: Oid; to: Oid }[];
}

/** What the log says beyond the world it adds up to. This is the one place that reads events for audit, recovery and retention. */
export interface FactoryRecord {
  world: World;
  mains: ReadonlyMap<ProjectId, MainRecord>;
  works: ReadonlyMap<AttemptId, readonly CollectedWork[]>;
  /** Why the result of an attempt was refused. */
  refusals: ReadonlyMap<AttemptId, string>;
  /** When something was last recorded of each task, in ms since the epoch. */
  lastTold: ReadonlyMap<TaskId, number>;
}

interface OpenMain {
  start: Oid | null;
  /** Main as it was last recorded. */
  last: Oid | null;
  green: Map<Oid, Oid>;
  /** Trees of the cars that were built, by their commit. */
  built: Map<Oid, Oid>;
  /** Trees whose tests were green. A car that is built again on a main that moved has its tree from the first run. */
  greenTrees: Set<Oid>;
  takenIn: { from: Oid; to: Oid }[];
}

/** Throws LEDGER_CORRUPT when an event does not follow from those before it. */
export function readRecord(events: readonly StoredEvent[]): FactoryRecord {
  const world = foldEvents(events);
  const mains = new Map<ProjectId, OpenMain>();
  const record = { works: new Map<AttemptId, CollectedWork[]>(), refusals: new Map<AttemptId, string>(), lastTold: new Map<TaskId, number>() };
  const current = new Map<TaskId, AttemptId>();
  for (const { event, at } of events) {
    noteMain(mains, event, world);
    if ("task" in event) record.lastTold.set(event.task, at);
    if (event.type === "task-placed") current.set(event.task, event.attempt);
    else if (event.type === "attempt-collected" || event.type === "attempt-retired") {
      const { attempt, tip, salvage } = event;
      record.works.set(attempt, [...(record.works.get(attempt) ?? []), { tip, salvage }]);
    } else if (event.type === "result-checked") {
      if (hasBlocking(event.findings)) record.refusals.set(event.attempt, refusal("refused by the gates", event.findings));
    } else if (event.type === "candidate-refused") {
      const attempt = current.get(event.task);
      if (attempt !== undefined) record.refusals.set(attempt, refusal("refused at landing", event.findings));
    }
  }
  return { world, mains, ...record };
}

function noteMain(mains: Map<ProjectId, OpenMain>, event: StoredEvent["event"], world: World): void {
  const of = (project: ProjectId): OpenMain => {
    const known = mains.get(project) ?? { start: null, last: null, green: new Map(), built: new Map(), greenTrees: new Set(), takenIn: [] };
    mains.set(project, known);
    return known;
  };
  const ofTask = (task: TaskId): OpenMain => of(world.tasks.get(task)?.project ?? "");
  if (event.type === "project-started") {
    const main = of(event.project);
    main.start ??= event.main;
    main.last ??= event.main;
  } else if (event.type === "car-built") of(event.project).built.set(event.candidate.commit, event.candidate.tree);
  else if (event.type === "car-passed") of(event.project).greenTrees.add(event.candidate.tree);
  else if (event.type === "task-merged") noteLanding(ofTask(event.task), event.commit);
  else if (event.type === "car-dropped") of(event.project).last = event.main ?? of(event.project).last;
  else if (event.type === "origin-taken-in") {
    const main = of(event.project);
    if (main.last !== null && main.last !== event.main) main.takenIn.push({ from: main.last, to: event.main });
    main.last = event.main;
  }
}

function noteLanding(main: OpenMain, commit: Oid): void {
  main.last = commit;
  const tree = main.built.get(commit);
  if (tree !== undefined && main.greenTrees.has(tree)) main.green.set(commit, tree);
}

function refusal(by: string, findings: readonly Finding[]): string {
  const first = findings.find((finding) => finding.severity === "block");
  return first === undefined ? by : `${by}: ${first.path === undefined ? "" : `${first.path}: `}${first.found}`;
}
