import {
  type AttemptId,
  type Clock,
  type FactoryEvent,
  isFactoryError,
  type Log,
  type NodePool,
  type ProjectId,
  type StoredEvent,
  type World,
} from "@dispatch/core";
import type { ComingConflict, Forecast, ForecastPolicy, GitRepositories } from "@dispatch/git";
import { liveBranches, workingAttempts } from "./live-branches.ts";

/** A burst of facts is looked at once. */
const pauseMs = 500;

export interface ForecastParts {
  world: World;
  nodes: Pick<NodePool, "nodes" | "prepareRepository">;
  repositories: Pick<GitRepositories, "fetchCheckpoint" | "keepCheckpoints" | "forecast">;
  /** How changes of a project's files land. */
  policyOf(project: ProjectId): ForecastPolicy;
  subscribe(listener: (events: readonly StoredEvent[]) => void): () => void;
  clock: Pick<Clock, "after">;
  log: Pick<Log, "debug">;
}

export interface ForecastKeeper {
  /** The newest forecast of a project, without what is over since it was made. */
  of(project: ProjectId): Pick<Forecast, "conflicts" | "uncompared">;
  close(): void;
}

/**
 * Sees conflicts coming: takes the checkpoint of every round of every attempt into the hub, and compares all that is on its way
 * with main and with each other whenever something of it changed. It only watches: nothing is recorded and nothing waits for it,
 * and what fails or is lost with the process costs no more than a later forecast.
 */
export function keepForecast(parts: ForecastParts): ForecastKeeper {
  const { world, clock } = parts;
  const forecasts = new Map<ProjectId, Forecast>();
  const checkpointed = new Set<AttemptId>();
  const changed = new Set<ProjectId>(world.projects.keys());
  let busy = false;
  let cancel: (() => void) | undefined;
  let closed = false;

  function take(events: readonly StoredEvent[]): void {
    for (const { event } of events) {
      if (event.type === "wrapper-reported") {
        if (event.fact.type !== "round-checked") continue;
        checkpointed.add(event.attempt);
      }
      const project = projectOf(world, event);
      if (project !== undefined) changed.add(project);
    }
    lookSoon();
  }

  function lookSoon(): void {
    if (closed || busy || cancel !== undefined || changed.size === 0) return;
    cancel = clock.after(pauseMs, () => {
      cancel = undefined;
      busy = true;
      void look().finally(() => {
        busy = false;
        lookSoon();
      });
    });
  }

  async function look(): Promise<void> {
    const [attempts, projects] = [[...checkpointed], [...changed]];
    checkpointed.clear();
    changed.clear();
    await Promise.all(attempts.map((attempt) => quietly(() => fetchCheckpoint(attempt), { attempt })));
    for (const project of projects) if (!closed) await quietly(() => renew(project), { project });
  }

  async function fetchCheckpoint(id: AttemptId): Promise<void> {
    const attempt = world.attempts.get(id);
    const project = attempt === undefined ? undefined : world.tasks.get(attempt.task)?.project;
    if (attempt === undefined || project === undefined || !workingAttempts(world, project).has(id)) return;
    const node = parts.nodes.nodes().find((candidate) => candidate.id === attempt.node);
    if (node?.status.kind !== "up") return;
    const url = await parts.nodes.prepareRepository(node.id, project);
    await parts.repositories.fetchCheckpoint(project, id, url);
  }

  async function renew(project: ProjectId): Promise<void> {
    const kept = await parts.repositories.keepCheckpoints(project, workingAttempts(world, project));
    const branches = liveBranches(world, project, new Map(kept.map(({ attempt, commit }) => [attempt, commit])));
    forecasts.set(project, await parts.repositories.forecast(project, branches, parts.policyOf(project)));
  }

  async function quietly(act: () => Promise<void>, about: object): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      parts.log.debug({ ...about, error }, "no forecast this time");
    }
  }

  const unsubscribe = parts.subscribe(take);
  lookSoon();
  return {
    of(project) {
      const forecast = forecasts.get(project);
      if (forecast === undefined) return { conflicts: [], uncompared: 0 };
      return { conflicts: forecast.conflicts.filter((conflict) => isComing(world, conflict)), uncompared: forecast.uncompared };
    },
    close() {
      closed = true;
      unsubscribe();
      cancel?.();
    },
  };
}

function projectOf(world: World, event: FactoryEvent): ProjectId | undefined {
  if ("project" in event) return event.project;
  const task = "task" in event ? event.task : "attempt" in event ? world.attempts.get(event.attempt)?.task : undefined;
  return task === undefined ? undefined : world.tasks.get(task)?.project;
}

function isComing(world: World, { attempt, with: meets }: ComingConflict): boolean {
  return isOnItsWay(world, attempt) && (meets.kind === "main" || isOnItsWay(world, meets.attempt));
}

function isOnItsWay(world: World, id: AttemptId): boolean {
  const attempt = world.attempts.get(id);
  const state = attempt === undefined ? undefined : world.tasks.get(attempt.task)?.state;
  if (state === undefined || state.kind === "merged" || state.kind === "cancelling") return false;
  return "attempt" in state && state.attempt === id;
}
