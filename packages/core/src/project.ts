import type { FactoryEvent } from "./event.ts";
import type { Oid, ProjectId, TaskId } from "./ids.ts";
import { moved, type Step, stale } from "./step.ts";
import { abandonCars, type CarEvent, type Train, transitionTrain } from "./train.ts";

/**
 * A project of the factory: whether its tasks are placed, where its main is in the hub,
 * and how far a collect (landing everything, then publishing) has come.
 */
export interface Project {
  id: ProjectId;
  placing: { kind: "running" } | { kind: "paused"; by: string };
  main: Oid;
  /** Frozen while main itself is red: then no branch is to blame, and none may land. */
  landing: { kind: "open" } | { kind: "frozen"; because: string };
  collect: CollectState;
  train: Train;
}

export type CollectState =
  | { kind: "idle"; last: LastCollect | null }
  | { kind: "taking-in"; requestedAt: number; tasks: readonly TaskId[] }
  | { kind: "landing"; requestedAt: number; tasks: readonly TaskId[] }
  | { kind: "publishing"; requestedAt: number; tasks: readonly TaskId[] };

export type LastCollect =
  /** `watched`: what the tests said of the commit once it was published; absent until they have. */
  | { outcome: "published"; at: number; requestedAt: number; commit: Oid; url?: string; watched?: "green" | "red" }
  | { outcome: "stopped"; at: number; requestedAt: number; code: string; because: string; hint: string };

export type ProjectEvent = Extract<FactoryEvent, { project: ProjectId }>;

/**
 * The project after an event. `landable` are the tasks that are queued or landing now;
 * a collect waits for exactly these.
 */
export function transitionProject(project: Project, event: ProjectEvent, at: number, landable: readonly TaskId[]): Step<Project> {
  const { collect } = project;
  switch (event.type) {
    case "project-started":
      return startAgain(project, event.main);
    case "project-paused":
      return moved({ ...project, placing: { kind: "paused", by: event.by } });
    case "collect-requested":
      if (collect.kind !== "idle") return stale(`a collect is ${collect.kind}`);
      return moved(
        { ...project, collect: { kind: "taking-in", requestedAt: at, tasks: landable } },
        { do: "take-in-origin", project: project.id, requestedAt: at },
      );
    case "origin-taken-in":
      if (collect.kind === "idle") return stale("no collect is under way");
      return moveMain({ ...project, collect: { ...collect, kind: "landing" } }, event.main);
    case "publishing-planned":
      if (collect.kind !== "landing") return stale(`collect is ${collect.kind}`);
      return moved(
        { ...project, collect: { ...collect, kind: "publishing" } },
        { do: "publish-main", project: project.id, requestedAt: collect.requestedAt },
      );
    case "origin-moved":
      if (collect.kind !== "publishing") return stale(`collect is ${collect.kind}`);
      return moved(
        { ...project, collect: { ...collect, kind: "taking-in" } },
        { do: "take-in-origin", project: project.id, requestedAt: collect.requestedAt },
      );
    case "contract-changed":
      return moved(project);
    case "landing-frozen":
      return moved({ ...project, landing: { kind: "frozen", because: event.because } });
    case "main-published":
      if (collect.kind !== "publishing") return stale(`collect is ${collect.kind}`);
      return moved(
        { ...project, collect: { kind: "idle", last: publishedBy(event, at, collect.requestedAt) } },
        { do: "watch-main", project: project.id, commit: event.commit, requestedAt: collect.requestedAt },
      );
    case "main-watched":
      return moved(collect.kind === "idle" ? { ...project, collect: { ...collect, last: watchedBy(event, collect.last) } } : project);
    case "collect-stopped":
      if (collect.kind === "idle") return stale("no collect is under way");
      return moved({
        ...project,
        collect: {
          kind: "idle",
          last: { outcome: "stopped", at, requestedAt: collect.requestedAt, code: event.code, because: event.because, hint: event.hint },
        },
      });
    case "car-dropped":
    case "car-planned":
    case "car-built":
    case "car-passed":
    case "car-failed":
    case "run-broken":
    case "car-landed":
      return followCar(project, event);
  }
}

function startAgain(project: Project, main: Oid): Step<Project> {
  const started: Project = { ...project, placing: { kind: "running" }, landing: { kind: "open" } };
  if (project.collect.kind !== "idle" || isLanding(project.train, main)) return moved(started);
  return moveMain(started, main);
}

/** Main is where a car takes it, and what the car says of that is still to come. */
function isLanding({ cars }: Train, main: Oid): boolean {
  return cars.some(({ state }) => state.kind === "advancing" && state.candidate.commit === main);
}

function followCar(project: Project, event: CarEvent): Step<Project> {
  const step = transitionTrain(project.train, event, project.main);
  if (step.outcome !== "moved") return step;
  const after = { ...project, train: step.state };
  if (event.type === "car-landed") return moved({ ...after, main: event.commit }, ...step.effects);
  if (event.type !== "car-dropped" || event.main === undefined) return moved(after, ...step.effects);
  const elsewhere = moveMain(after, event.main);
  return elsewhere.outcome === "moved" ? moved(elsewhere.state, ...step.effects, ...elsewhere.effects) : elsewhere;
}

/** Main was moved by somebody else than the train. */
function moveMain(project: Project, main: Oid): Step<Project> {
  if (main === project.main) return moved(project);
  const train = abandonCars(project.train, project.id);
  return train.outcome === "moved" ? moved({ ...project, main, train: train.state }, ...train.effects) : train;
}

function publishedBy(event: Extract<ProjectEvent, { type: "main-published" }>, at: number, requestedAt: number): LastCollect {
  const { commit, url } = event;
  return { outcome: "published", at, requestedAt, commit, ...(url === undefined ? {} : { url }) };
}

/** Another commit may have been published since. */
function watchedBy(event: Extract<ProjectEvent, { type: "main-watched" }>, last: LastCollect | null): LastCollect | null {
  return last?.outcome === "published" && last.commit === event.commit ? { ...last, watched: event.outcome } : last;
}
