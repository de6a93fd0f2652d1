import { setImmediate } from "node:timers/promises";
import { type Attempt, effectKey, FactoryError, resultRef, type StoredEvent, salvageRef, type Task } from "@dispatch/core";
import type { Engine } from "@dispatch/engine";
import type {
  AttachView,
  CollectView,
  FeedView,
  LogView,
  NodeLossRow,
  PlanView,
  PutSpecRequest,
  PutSpecView,
  ReportView,
  RevertRequest,
  RevertView,
  SpecView,
  StatusView,
  TaskView,
  TroubleRow,
  WhyAllView,
  WhyView,
} from "@dispatch/protocol";
import { createExplainer } from "@dispatch/scheduler";
import type { LiveSettings } from "./config/settings.ts";
import { compareSpecs } from "./factory/compare-specs.ts";
import { feedSpecs } from "./factory/feed-specs.ts";
import { pickRevision, readRevisions } from "./factory/read-revisions.ts";
import { type RevertParts, revertLanding } from "./factory/revert-landing.ts";
import { putSpec, readEditedSpec } from "./factory/revise-spec.ts";
import type { ForecastKeeper } from "./forecast/keep-forecast.ts";
import type { SignalKeeper } from "./keep-signals.ts";
import { fileTrouble, nodeOperations } from "./node-operations.ts";
import { planFrom } from "./plan/plan-project.ts";
import { composeReport } from "./report/compose-report.ts";
import { countLosses } from "./report/count-losses.ts";
import { forecastRows } from "./views/compose-forecast.ts";
import type { Describe } from "./views/compose-nodes.ts";
import { attemptsOf, composeStatus, composeTaskRow } from "./views/compose-status.ts";
import { composeStandings, composeWhy, composeWhyAll } from "./views/compose-why.ts";
import { createEndEstimator } from "./views/estimate-end.ts";
import type { NodesFile } from "./watch-nodes-file.ts";

/** What reads logs and shows sessions on nodes. */
export interface Sessions {
  tail(node: string, attempt: string, file: "agent" | "verify", round: number, from: number): Promise<{ text: string; next: number }>;
  attachCommand(node: string, attempt: string): readonly string[];
}

export interface ServiceParts {
  engine: Engine;
  settings: LiveSettings;
  sessions: Sessions;
  feed: RevertParts;
  signals: SignalKeeper;
  forecast: Pick<ForecastKeeper, "of">;
  /** What is known of a node beyond its snapshot. */
  describeNode: Describe;
  nodesFile: Pick<NodesFile, "problem" | "look">;
  hubOf(project: string): string;
  /** Events after a position, at most 1000. */
  readEvents(after: number): readonly StoredEvent[];
  now(): number;
  lastSeq(): number;
  draining(): boolean;
}

/** The daemon's operations, one for each endpoint. They return data; nothing here prints. */
export function createFactoryService(parts: ServiceParts) {
  return { ...boardViews(parts), ...taskViews(parts), ...specRevisions(parts), ...operations(parts), ...nodeOperations(parts) };
}

function boardViews(parts: ServiceParts) {
  const { engine, settings } = parts;
  const estimateEnd = createEndEstimator();
  return {
    status(project?: string): StatusView {
      const [snapshot, now] = [engine.snapshot(), parts.now()];
      const only = project === undefined ? {} : { project };
      const explain = createExplainer(snapshot, now);
      const made = { explain, signals: parts.signals.judge(snapshot, now, explain), eta: estimateEnd(snapshot, project, now) };
      const forecast = forecastOf(parts, project);
      const file = fileTrouble(parts.nodesFile, now);
      const troubles = [...(file === null ? [] : [file]), ...troubleRows(engine)];
      return composeStatus({ snapshot, troubles, forecast, lastSeq: parts.lastSeq(), draining: parts.draining(), ...made, ...only }, now);
    },
    whyAll: (project?: string): WhyAllView => composeWhyAll(engine.snapshot(), parts.now(), project),
    plan: (project: string, slots?: number): Promise<PlanView> => planFrom(parts.feed.dir, project, slots, engine.snapshot()),
    async report(id: string): Promise<ReportView> {
      const project = engine.world.projects.get(id);
      if (project === undefined) {
        const hint = settings.sourceOf(id) === undefined ? "register it with dispatch project add" : `dispatch start ${id}`;
        throw new FactoryError("NOT_FOUND", `project ${id} was never started`, { fault: "user", hint });
      }
      const losses = await readLosses(parts, id);
      const [snapshot, now] = [engine.snapshot(), parts.now()];
      const slots = snapshot.nodes.reduce((sum, node) => sum + node.slots, 0);
      const [standing] = composeStandings(snapshot, now, id);
      return composeReport({ world: engine.world, project, slots, standing, signals: parts.signals.judge(snapshot, now), losses }, now);
    },
  };
}

/** Reads the log in steps and lets other requests pass in between; not at all where nothing ever happened to a node. */
async function readLosses({ engine, readEvents }: ServiceParts, project: string): Promise<readonly NodeLossRow[]> {
  if (engine.world.nodes.size === 0) return [];
  const counter = countLosses(engine.world, project);
  for (let after = 0; ; await setImmediate()) {
    const events = readEvents(after);
    const last = events.at(-1);
    if (last === undefined) return counter.losses();
    counter.take(events);
    after = last.seq;
  }
}

function taskViews(parts: ServiceParts) {
  const { engine } = parts;
  return {
    task(id: string): TaskView {
      const task = taskOf(engine, id);
      const attempts = attemptsOf(engine.world, task);
      return {
        row: composeTaskRow(engine.snapshot(), task, parts.now()),
        task,
        attempts,
        refs: attempts.flatMap(heldRefs),
        hub: parts.hubOf(task.project),
      };
    },
    why(id: string): WhyView {
      const task = taskOf(engine, id);
      const names = [id, ...attemptsOf(engine.world, task).map((attempt) => attempt.id)];
      const own = troubleRows(engine).filter((row) => names.some((name) => row.effect.includes(name)));
      const forecast = forecastOf(parts, task.project).conflicts.filter((row) => row.task === id || row.with === id);
      return composeWhy(engine.snapshot(), task, { troubles: own, forecast }, parts.now());
    },
    async log(id: string, query: { file: "agent" | "verify"; attempt?: number; round?: number; from: number }): Promise<LogView> {
      const attempt = attemptOf(engine, taskOf(engine, id), query.attempt);
      const round = query.round ?? Math.max(1, attempt.rounds.length);
      const { text, next } = await parts.sessions.tail(attempt.node, attempt.id, query.file, round, query.from);
      const live = attempt.endedAt === 0 && (query.round === undefined || query.round === attempt.rounds.length);
      return { attempt: attempt.id, round, file: query.file, text, next, live };
    },
    attach(id: string): AttachView {
      const attempt = attemptOf(engine, taskOf(engine, id));
      if (attempt.endedAt !== 0) {
        throw new FactoryError("NOT_ALLOWED", `${attempt.id} has ended; there is no session to attach to`, {
          fault: "user",
          hint: `dispatch logs ${id}`,
        });
      }
      return { command: parts.sessions.attachCommand(attempt.node, attempt.id) };
    },
  };
}

function specRevisions(parts: ServiceParts) {
  const { engine, settings } = parts;
  return {
    async spec(id: string, revision?: number): Promise<SpecView> {
      const task = taskOf(engine, id);
      const revisions = await readRevisions(parts.readEvents, task);
      const shown = pickRevision(task, revisions, revision ?? task.revision);
      return {
        task: id,
        path: task.path,
        revision: shown.revision,
        current: task.revision,
        digest: shown.digest,
        text: shown.text,
        history: revisions.map(({ text, ...row }, i) => ({ ...row, changed: compareSpecs(revisions[i - 1]?.text ?? text, text, task.path) })),
      };
    },
    async putSpec(id: string, request: PutSpecRequest, by: string): Promise<PutSpecView> {
      const task = taskOf(engine, id);
      await settings.reload();
      return putSpec({ feed: parts.feed, readEvents: parts.readEvents }, task, request, by);
    },
  };
}

function operations(parts: ServiceParts) {
  const { engine, settings } = parts;
  return {
    async feed(project: string, by: string): Promise<FeedView> {
      await settings.reload();
      return feedSpecs(parts.feed, project, by);
    },
    async start(project: string, by: string): Promise<FeedView> {
      await settings.reload();
      await engine.commands.startProject(project);
      return feedSpecs(parts.feed, project, by);
    },
    pause: (project: string, by: string): Promise<void> => engine.commands.pauseProject(project, by),
    async resume(project: string): Promise<void> {
      await settings.reload();
      await engine.commands.startProject(project);
    },
    async retry(id: string, edited: boolean, by: string): Promise<void> {
      const task = taskOf(engine, id);
      await settings.reload();
      await engine.commands.retry(id, by, edited ? await readEditedSpec(parts.feed, task) : undefined);
    },
    cancel: (id: string, by: string): Promise<void> => engine.commands.cancel(id, by),
    async collect(project: string, by: string): Promise<CollectView> {
      await settings.reload();
      return { requestedAt: await engine.commands.collect(project, by) };
    },
    async revert(project: string, request: RevertRequest, by: string): Promise<RevertView> {
      await settings.reload();
      return revertLanding(parts.feed, project, request, by);
    },
  };
}

/** What is coming for one project, or for all. */
function forecastOf({ engine, forecast }: ServiceParts, project: string | undefined): StatusView["forecast"] {
  const found = [...engine.world.projects.keys()].filter((id) => project === undefined || id === project).map((id) => forecast.of(id));
  return {
    conflicts: found.flatMap(({ conflicts }) => forecastRows(engine.world, conflicts)),
    uncompared: found.reduce((sum, { uncompared }) => sum + uncompared, 0),
  };
}

function taskOf(engine: Engine, id: string): Task {
  const task = engine.world.tasks.get(id);
  if (task !== undefined) return task;
  throw new FactoryError("NOT_FOUND", `no task ${id}`, { fault: "user", hint: "dispatch status lists the tasks; a task is named PROJECT/SPEC_ID" });
}

function attemptOf(engine: Engine, task: Task, n?: number): Attempt {
  const attempts = attemptsOf(engine.world, task);
  const attempt = n === undefined ? attempts.at(-1) : attempts.find((candidate) => candidate.n === n);
  if (attempt !== undefined) return attempt;
  const hint = attempts.length === 0 ? `dispatch why ${task.id} tells what it waits for` : `it has attempts 1 to ${attempts.length}`;
  throw new FactoryError("NOT_FOUND", `${task.id} has no attempt${n === undefined ? " yet" : ` ${n}`}`, { fault: "user", hint });
}

function troubleRows(engine: Engine): TroubleRow[] {
  return engine
    .troubles()
    .map(({ effect, failures, code, message, hint, nextAt }) => ({ effect: effectKey(effect), failures, code, message, hint: hint ?? null, nextAt }));
}

/** Refs of the hub that hold what an attempt left, once it was collected. */
function heldRefs(attempt: Attempt): string[] {
  const { state } = attempt;
  if (state.kind !== "collected" && state.kind !== "discarded") return [];
  const result = state.tip === null ? [] : [resultRef(attempt.id)];
  return state.tip === null && state.salvage === null ? result : [...result, salvageRef(attempt.id)];
}

export type FactoryService = ReturnType<typeof createFactoryService>;
