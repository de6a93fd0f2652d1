import {
  type Attempt,
  type AttemptId,
  type CarId,
  evolve,
  invariant,
  isLive,
  type NodeId,
  type Oid,
  type Project,
  type ProjectId,
  type Task,
  type TaskId,
  type TaskState,
} from "@dispatch/core";
import { type Board, createBoard, type Decision } from "../board/board.ts";
import type { Placement } from "../board/pick-placements.ts";
import type { Snapshot } from "../snapshot.ts";

export interface ForecastOptions {
  /** Minutes one session of a task is expected to take. */
  minutesOf(task: Task): number;
  /** Minutes one landing of a project is expected to take. Default 0. */
  landingMinutesOf?(project: ProjectId): number;
  /** As if every project ran, landed at once and its main were green: what the work itself takes. Default false. */
  unhindered?: boolean;
}

/** One session of the forecast; times are in ms since the epoch. */
export interface ForecastBar {
  task: TaskId;
  node: NodeId;
  from: number;
  to: number;
}

export interface Forecast {
  /** Sessions in the order in which they start, those under way first. */
  bars: readonly ForecastBar[];
  /** When each task is on main. */
  landedAt: ReadonlyMap<TaskId, number>;
  /** What is left as it is when nothing moves any more; explains why. */
  rest: Snapshot;
  /** The moment at which it came to rest. */
  restAt: number;
}

const noOid: Oid = "0".repeat(40);
const leastMinutes = 1 / 60;
/** A session that is over its time is expected to take this share of it more. */
const overdueShare = 0.1;

/**
 * Plays the scheduler's own decisions forward in virtual time, each session passing at its first attempt after the
 * minutes that are expected of it. `now` is in ms since the epoch. Nodes that are down or closed stay so.
 */
export function forecastRun(snapshot: Snapshot, now: number, options: ForecastOptions): Forecast {
  const play = openPlay(snapshot, options);
  continueWork(play, now);
  let at = now;
  for (;;) {
    const decisions = play.board.decide(at);
    for (const decision of decisions) apply(play, decision, at);
    if (decisions.length > 0) continue;
    const next = earliest(play.queue[0]?.at, play.board.nextDecisionAt(at));
    if (next === undefined) break;
    at = Math.max(at, next);
    happen(play, at);
  }
  return { bars: play.bars, landedAt: play.landedAt, rest: play.snapshot, restAt: at };
}

type Happening = { at: number } & ({ kind: "session-ends"; task: TaskId } | { kind: "lands"; project: ProjectId; car: CarId });

interface Play {
  snapshot: Snapshot;
  tasks: Map<TaskId, Task>;
  attempts: Map<AttemptId, Attempt>;
  projects: Map<ProjectId, Project>;
  board: Board;
  /** What is yet to come, in order. */
  queue: Happening[];
  bars: ForecastBar[];
  landedAt: Map<TaskId, number>;
  options: ForecastOptions;
}

function openPlay(start: Snapshot, options: ForecastOptions): Play {
  const free = options.unhindered === true;
  const tasks = new Map(start.world.tasks);
  const attempts = new Map([...start.world.attempts].map(([id, attempt]) => [id, isLive(attempt) ? attempt : withoutSlot(attempt)]));
  const projects = new Map([...start.world.projects].map(([id, project]) => [id, free ? unhindered(project) : afterOrigin(project)]));
  const snapshot: Snapshot = {
    world: { projects, tasks, attempts, nodes: start.world.nodes },
    nodes: start.nodes,
    projects: free ? landAtOnce(start) : start.projects,
  };
  return { snapshot, tasks, attempts, projects, board: createBoard(snapshot), queue: [], bars: [], landedAt: new Map(), options };
}

/** What is under way already goes on from where it is. */
function continueWork(play: Play, now: number): void {
  for (const task of [...play.tasks.values()]) {
    const { state } = task;
    if (!("attempt" in state) || state.kind === "queued" || state.kind === "landing" || state.kind === "merged") continue;
    const attempt = play.attempts.get(state.attempt);
    const from = attempt?.placedAt ?? now;
    const atWork = state.kind === "starting" || state.kind === "running";
    const ms = play.options.minutesOf(task) * 60_000;
    runSession(play, task.id, attempt?.node ?? "", from, atWork ? Math.max(now + ms * overdueShare, from + ms) : now);
  }
  for (const { id, train } of play.projects.values()) for (const car of train.cars) startLanding(play, id, car.id, now);
}

function apply(play: Play, decision: Decision, at: number): void {
  if (decision.decide === "place") place(play, decision, at);
  else if (decision.decide === "form-car") {
    const { project, car, kind, members, ahead } = decision;
    const formed = evolve(play.snapshot.world, { type: "car-planned", project, car, kind, members, ahead }, at);
    invariant(formed.outcome === "moved", `car ${car} of ${project} does not follow`);
    put(play, formed.change);
    startLanding(play, project, car, at);
  } else if (decision.decide === "publish") {
    const project = play.projects.get(decision.project);
    if (project !== undefined) put(play, { projects: [{ ...project, collect: { kind: "idle", last: null } }] });
  }
}

function place(play: Play, { task: id, attempt, n, node, base }: Placement, at: number): void {
  const task = play.tasks.get(id);
  if (task === undefined) return;
  const placed = evolve(play.snapshot.world, { type: "task-placed", task: id, attempt, n, node, base, executor: task.spec.executor }, at);
  invariant(placed.outcome === "moved", `the placement of ${id} does not follow`);
  put(play, placed.change);
  runSession(play, id, node, at, at + Math.max(leastMinutes, play.options.minutesOf(task)) * 60_000);
}

function runSession(play: Play, task: TaskId, node: NodeId, from: number, to: number): void {
  play.bars.push({ task, node, from, to });
  later(play, { at: to, task, kind: "session-ends" });
}

function startLanding(play: Play, project: ProjectId, car: CarId, at: number): void {
  later(play, { at: at + (play.options.landingMinutesOf?.(project) ?? 0) * 60_000, project, car, kind: "lands" });
}

function later({ queue }: Play, happening: Happening): void {
  let i = queue.length;
  while (i > 0 && (queue[i - 1]?.at ?? 0) > happening.at) i--;
  queue.splice(i, 0, happening);
}

function happen(play: Play, at: number): void {
  for (let next = play.queue[0]; next !== undefined && next.at <= at; next = play.queue[0]) {
    play.queue.shift();
    if (next.kind === "lands") land(play, next.project, next.car, at);
    else endSession(play, next.task, at);
  }
}

function endSession(play: Play, id: TaskId, at: number): void {
  const task = play.tasks.get(id);
  if (task === undefined || !("attempt" in task.state)) return;
  const { state } = task;
  const attempt = play.attempts.get(state.attempt);
  const ended: TaskState =
    state.kind === "cancelling"
      ? { kind: "cancelled", by: state.by, ...triesOf(task) }
      : { kind: "queued", attempt: state.attempt, tip: noOid, since: at, ...triesOf(task) };
  put(play, { tasks: [{ ...task, state: ended }], attempts: attempt === undefined ? [] : [endedAttempt(attempt, at)] });
}

/** Every run is foreseen to be green, and cars to land in their order. */
function land(play: Play, id: ProjectId, car: CarId, at: number): void {
  const project = play.projects.get(id);
  const landed = project?.train.cars.find((candidate) => candidate.id === car);
  if (project === undefined || landed === undefined) return;
  const tasks = landed.members.flatMap((member): Task[] => {
    const task = play.tasks.get(member);
    if (task?.state.kind !== "landing") return [];
    const { attempt, tries } = task.state;
    return [{ ...task, state: { kind: "merged", attempt, commit: noOid, at, tries } }];
  });
  const cars = project.train.cars
    .filter((other) => other !== landed)
    .map((other) => ({ ...other, ahead: other.ahead.filter((ahead) => ahead !== car) }));
  put(play, { projects: [{ ...project, train: { ...project.train, cars } }], tasks });
  for (const task of tasks) play.landedAt.set(task.id, at);
}

function put(play: Play, change: { projects?: readonly Project[]; tasks?: readonly Task[]; attempts?: readonly Attempt[] }): void {
  const { projects = [], tasks = [], attempts = [] } = change;
  for (const row of projects) play.projects.set(row.id, row);
  for (const row of tasks) play.tasks.set(row.id, row);
  for (const row of attempts) play.attempts.set(row.id, row);
  play.board.update({ projects, tasks, attempts });
}

function unhindered(project: Project): Project {
  return { ...project, placing: { kind: "running" }, landing: { kind: "open" }, collect: { kind: "idle", last: null } };
}

function landAtOnce(snapshot: Snapshot): Snapshot["projects"] {
  return new Map([...snapshot.projects].map(([id, policy]) => [id, { ...policy, landing: "continuous" as const }]));
}

/** A collect that reads or writes origin is taken to be done with it. */
function afterOrigin(project: Project): Project {
  const { collect } = project;
  if (collect.kind === "taking-in") return { ...project, collect: { ...collect, kind: "landing" } };
  return collect.kind === "publishing" ? { ...project, collect: { kind: "idle", last: null } } : project;
}

/** A fenced attempt gives its slot back when its node is reached, which nobody can foresee: it counts as having done so. */
function withoutSlot(attempt: Attempt): Attempt {
  return attempt.state.kind === "fenced" ? endedAttempt(attempt, attempt.endedAt) : attempt;
}

function endedAttempt(attempt: Attempt, at: number): Attempt {
  // Not a success: what was only foreseen must not count as measured.
  const outcome = { kind: "stopped", because: "foreseen" } as const;
  return { ...attempt, endedAt: at, state: { kind: "discarded", outcome, tip: noOid, salvage: null } };
}

function triesOf({ state }: Task) {
  return { tries: state.tries, limit: state.kind === "merged" ? state.tries : state.limit, feedback: [] };
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
