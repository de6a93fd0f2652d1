import type { FactoryEvent } from "./event.ts";
import type { Oid, ProjectId, TaskId } from "./ids.ts";
import { moved, type Step, stale } from "./step.ts";

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
}

export type CollectState =
  | { kind: "idle"; last: LastCollect | null }
  | { kind: "taking-in"; requestedAt: number; tasks: readonly TaskId[] }
  | { kind: "landing"; requestedAt: number; tasks: readonly TaskId[] }
  | { kind: "publishing"; requestedAt: number; tasks: readonly TaskId[] };

export type LastCollect =
  | { outcome: "published"; at: number; requestedAt: number; commit: Oid; url?: string }
  | { outcome: "stopped"; at: number; requestedAt: number; code: string; because: string; hint: string };

export type ProjectEvent = Extract<FactoryEvent, { project: ProjectId }> | Extract<FactoryEvent, { type: "task-merged" | "landing-deferred" }>;

/**
 * The project after an event. `landable` are the tasks that are queued or landing now;
 * a collect waits for exactly these.
 */
export function transitionProject(project: Project, event: ProjectEvent, at: number, landable: readonly TaskId[]): Step<Project> {
  const { collect } = project;
  switch (event.type) {
    case "project-started":
      return moved({
        ...project,
        placing: { kind: "running" },
        landing: { kind: "open" },
        main: collect.kind === "idle" ? event.main : project.main,
      });
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
      return moved({ ...project, main: event.main, collect: { ...collect, kind: "landing" } });
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
      return moved({ ...project, collect: { kind: "idle", last: publishedBy(event, at, collect.requestedAt) } });
    case "collect-stopped":
      if (collect.kind === "idle") return stale("no collect is under way");
      return moved({
        ...project,
        collect: {
          kind: "idle",
          last: { outcome: "stopped", at, requestedAt: collect.requestedAt, code: event.code, because: event.because, hint: event.hint },
        },
      });
    case "task-merged":
      return moved({ ...project, main: event.commit });
    case "landing-deferred":
      return moved({ ...project, main: event.main });
  }
}

function publishedBy(event: Extract<ProjectEvent, { type: "main-published" }>, at: number, requestedAt: number): LastCollect {
  const { commit, url } = event;
  return { outcome: "published", at, requestedAt, commit, ...(url === undefined ? {} : { url }) };
}
