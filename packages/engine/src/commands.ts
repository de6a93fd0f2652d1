import { type AttemptId, FactoryError, type FactoryEvent, isLive, type ProjectId, type Task, type TaskId, type World } from "@dispatch/core";
import { createNodeCommands, type NodeCommands } from "./node-commands.ts";
import type { EnginePorts } from "./ports.ts";
import { type FeedReport, feedEvents, type Revision, revisionEvent, type SpecFile } from "./take-specs.ts";

/** What the lead may ask for. Each either records facts or throws a FactoryError that says what to do. */
export interface Commands extends NodeCommands {
  /** Takes specs into the ledger: all of them or none. The same digest twice is a no-op. */
  feed(files: readonly SpecFile[], by?: string): Promise<FeedReport>;
  /** Takes an edit of a spec in; a parked or cancelled task is taken up again with it. Returns the new revision. */
  revise(revision: Revision): Promise<number>;
  /** Lets the tasks of a project be placed; opens its hub when that is new. */
  startProject(project: ProjectId): Promise<void>;
  pauseProject(project: ProjectId, by: string): Promise<void>;
  /** Takes a parked, cancelled or waiting task up again; with an edited spec when one is given. */
  retry(task: TaskId, by: string, edited?: SpecFile): Promise<void>;
  cancel(task: TaskId, by: string): Promise<void>;
  /** Stops every live attempt; their tasks are placed again later. */
  stopAttempts(because: string): Promise<readonly AttemptId[]>;
  /** Begins to land everything landable and to publish main. Returns when it was asked for (ms), as its name. */
  collect(project: ProjectId, by: string): Promise<number>;
}

type Ports = Pick<EnginePorts, "repositories" | "settings" | "nodes">;
const defaultFeeder = "the lead";

type CommitEvents = (events: readonly FactoryEvent[]) => Promise<void>;

export function createCommands(ports: Ports, world: World, commit: CommitEvents): Commands {
  return {
    async feed(files, by = defaultFeeder) {
      const { events, report } = feedEvents(world, files, by);
      await commit(events);
      return report;
    },
    ...projectCommands(ports, world, commit),
    ...taskCommands(world, commit),
    ...createNodeCommands(ports, world, commit),
  };
}

function projectCommands(ports: Ports, world: World, commit: CommitEvents): Pick<Commands, "startProject" | "pauseProject" | "collect"> {
  function requireProject(id: ProjectId): void {
    if (world.projects.has(id)) return;
    const hint = ports.settings.sourceOf(id) === undefined ? "register it with dispatch project add" : `start it with dispatch start ${id}`;
    throw new FactoryError("NOT_FOUND", `project ${id} was never started`, { fault: "user", hint });
  }
  return {
    async startProject(id) {
      const source = ports.settings.sourceOf(id);
      if (source === undefined) {
        const hint = `dispatch project add ${id} --repo PATH_OR_URL --verify "CMD"`;
        throw new FactoryError("NOT_FOUND", `project ${id} is not registered`, { fault: "user", hint });
      }
      const main = await ports.repositories.openHub(source);
      await commit([{ type: "project-started", project: id, main }]);
    },
    async pauseProject(id, by) {
      requireProject(id);
      await commit([{ type: "project-paused", project: id, by }]);
    },
    async collect(id, by) {
      requireProject(id);
      await commit([{ type: "collect-requested", project: id, by }]);
      const collect = world.projects.get(id)?.collect;
      return collect === undefined || collect.kind === "idle" ? (collect?.last?.requestedAt ?? 0) : collect.requestedAt;
    },
  };
}

function taskCommands(world: World, commit: CommitEvents): Pick<Commands, "revise" | "retry" | "cancel" | "stopAttempts"> {
  function taskOf(id: TaskId): Task {
    const task = world.tasks.get(id);
    if (task !== undefined) return task;
    throw new FactoryError("NOT_FOUND", `no task ${id}`, {
      fault: "user",
      hint: "see dispatch status for the tasks; a task is named PROJECT/SPEC_ID",
    });
  }
  return {
    async revise({ task: id, file, by, place }) {
      const task = taskOf(id);
      const event = revisionEvent(task, file, by);
      place?.();
      await commit([event]);
      return task.revision + 1;
    },
    async retry(id, by, edited) {
      const task = taskOf(id);
      const { kind } = task.state;
      if (kind !== "parked" && kind !== "cancelled" && kind !== "backoff") {
        throw new FactoryError("NOT_ALLOWED", `${id} is ${kind}`, {
          fault: "user",
          hint: "only parked, cancelled and backing-off tasks are retried",
        });
      }
      await commit([edited === undefined ? { type: "task-retried", task: id, by } : revisionEvent(task, edited, by)]);
    },
    async cancel(id, by) {
      const { state } = taskOf(id);
      if (state.kind === "landing" || state.kind === "merged") {
        const hint = "what is landing or merged is taken back with a revert, not a cancel";
        throw new FactoryError("NOT_ALLOWED", `${id} is ${state.kind}`, { fault: "user", hint });
      }
      const events: FactoryEvent[] = [{ type: "task-cancelled", task: id, by }];
      if (state.kind === "starting" || state.kind === "running") {
        events.push({ type: "attempt-stop-asked", attempt: state.attempt, because: `cancelled by ${by}` });
      }
      await commit(events);
    },
    async stopAttempts(because) {
      const live = [...world.attempts.values()].filter((attempt) => isLive(attempt) && attempt.state.kind !== "stopping");
      await commit(live.map((attempt) => ({ type: "attempt-stop-asked", attempt: attempt.id, because })));
      return live.map((attempt) => attempt.id);
    },
  };
}
