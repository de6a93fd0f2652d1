import { type Attempt, type AttemptEvent, tellOfContract, transitionAttempt } from "./attempt.ts";
import type { Effect } from "./effect.ts";
import { invariant } from "./errors.ts";
import type { FactoryEvent } from "./event.ts";
import type { AttemptId, CarId, NodeId, Oid, ProjectId, TaskId } from "./ids.ts";
import { type NodeEvent, type NodeRecord, newNode, transitionNode } from "./node.ts";
import { type Project, type ProjectEvent, transitionProject } from "./project.ts";
import type { Step } from "./step.ts";
import { boardCar, leaveCar, type Task, type TaskEvent, transitionTask } from "./task.ts";
import { type Car, cancelledRuns, emptyTrain, leaveTrain, type Train } from "./train.ts";

/** Everything the factory knows: the fold of the event log. */
export interface World {
  projects: ReadonlyMap<ProjectId, Project>;
  tasks: ReadonlyMap<TaskId, Task>;
  attempts: ReadonlyMap<AttemptId, Attempt>;
  /** Machines about which something was decided; a machine without a record is an open one. */
  nodes: ReadonlyMap<NodeId, NodeRecord>;
}

/** What one event changes: the entities as they are now, and what has to be done about it. */
export interface Change {
  projects: readonly Project[];
  tasks: readonly Task[];
  attempts: readonly Attempt[];
  nodes: readonly NodeRecord[];
  effects: readonly Effect[];
}

/** The change of an event that changes nothing. */
export const noChange: Change = { projects: [], tasks: [], attempts: [], nodes: [], effects: [] };

export type Evolution = { outcome: "moved"; change: Change } | { outcome: "stale"; because: string } | { outcome: "illegal"; because: string };

export function emptyWorld(): World {
  return { projects: new Map(), tasks: new Map(), attempts: new Map(), nodes: new Map() };
}

/** What an event recorded at `at` (ms since the epoch) does to the world. Changes nothing itself. */
export function evolve(world: World, event: FactoryEvent, at: number): Evolution {
  switch (event.type) {
    case "project-started":
      return ofProject(world, event.project, event, at, () => ({
        id: event.project,
        placing: { kind: "running" },
        main: event.main,
        landing: { kind: "open" },
        collect: { kind: "idle", last: null },
        train: emptyTrain,
      }));
    case "project-paused":
    case "collect-requested":
    case "origin-taken-in":
    case "publishing-planned":
    case "origin-moved":
    case "landing-frozen":
    case "main-published":
    case "main-watched":
    case "collect-stopped":
    case "car-planned":
    case "car-built":
    case "car-passed":
    case "car-failed":
    case "run-broken":
    case "car-dropped":
    case "car-landed":
      return ofProject(world, event.project, event, at);
    case "contract-changed":
      return tellAttempts(world, event);
    case "task-planned":
      return planTask(world, event, at);
    case "task-placed":
      return placeTask(world, event, at);
    case "spec-revised":
    case "task-retried":
    case "task-cancelled":
    case "candidate-refused":
    case "task-merged":
      return ofTask(world, event, at);
    case "attempt-refused":
    case "wrapper-reported":
    case "attempt-stop-asked":
    case "attempt-collected":
    case "workspace-discarded":
    case "result-checked":
    case "attempt-fenced":
    case "attempt-retired":
    case "attempt-abandoned":
      return ofAttempt(world, event, at);
    case "node-cordoned":
    case "node-uncordoned":
    case "node-lost":
    case "node-returned":
      return ofNode(world, event, at);
  }
}

/** A copy of the world with a change in it, for tests and folds that keep the old one. */
export function withChange(world: World, change: Change): World {
  return {
    projects: replaced(world.projects, change.projects),
    tasks: replaced(world.tasks, change.tasks),
    attempts: replaced(world.attempts, change.attempts),
    nodes: replaced(world.nodes, change.nodes),
  };
}

function replaced<T extends { id: string }>(map: ReadonlyMap<string, T>, items: readonly T[]): ReadonlyMap<string, T> {
  if (items.length === 0) return map;
  const next = new Map(map);
  for (const item of items) next.set(item.id, item);
  return next;
}

function ofProject(world: World, id: ProjectId, event: ProjectEvent, at: number, create?: () => Project): Evolution {
  const project = world.projects.get(id);
  if (project === undefined) {
    if (create === undefined) return { outcome: "illegal", because: `project ${id} was never started` };
    return { outcome: "moved", change: { ...noChange, projects: [create()] } };
  }
  const step = transitionProject(project, event, at, event.type === "collect-requested" ? landableTasks(world, id) : []);
  if (step.outcome !== "moved" || step.state.train === project.train) return asEvolution(step, (state) => ({ projects: [state] }));
  if (event.type === "car-planned") return planCar(world, event, step);
  // What landed is told to be merged beside it.
  const landed = event.type === "car-landed" ? tasksOf(project.train.cars.filter((car) => holds(project.train, event.car, car.id))) : [];
  return asEvolution(step, (state) => ({ projects: [state], tasks: queuedAgain(world, project.train, state.train, landed) }));
}

/** The tasks whose car is gone, or does not hold them any more. */
function queuedAgain(world: World, before: Train, after: Train, except: readonly TaskId[]): Task[] {
  const staying = new Set([...tasksOf(after.cars), ...except]);
  return tasksOf(before.cars).flatMap((id) => {
    const task = world.tasks.get(id);
    return task === undefined || staying.has(id) || task.state.kind !== "landing" ? [] : [leaveCar(task)];
  });
}

function planCar(world: World, { car, members }: Extract<FactoryEvent, { type: "car-planned" }>, step: Step<Project>): Evolution {
  const tasks: Task[] = [];
  for (const member of members) {
    const task = world.tasks.get(member);
    if (task === undefined) return { outcome: "illegal", because: `${member} is unknown` };
    const boarded = boardCar(task, car);
    if (boarded.outcome !== "moved") return boarded;
    tasks.push(boarded.state);
  }
  return asEvolution(step, (state) => ({ projects: [state], tasks }));
}

function tasksOf(cars: readonly Car[]): TaskId[] {
  return cars.flatMap(({ members }) => members);
}

/** Whether a car's tree holds the members of another one, or is that one. */
function holds(train: Train, id: CarId, other: CarId): boolean {
  return id === other || train.cars.some((car) => car.id === id && car.ahead.includes(other));
}

function landableTasks(world: World, project: ProjectId): TaskId[] {
  const ids: TaskId[] = [];
  for (const task of world.tasks.values()) {
    if (task.project === project && (task.state.kind === "queued" || task.state.kind === "landing")) ids.push(task.id);
  }
  return ids;
}

function planTask(world: World, event: Extract<FactoryEvent, { type: "task-planned" }>, at: number): Evolution {
  if (world.tasks.has(event.task)) return { outcome: "stale", because: `${event.task} is known` };
  const { spec, digest, text, path } = event;
  const task: Task = {
    id: event.task,
    project: spec.project,
    spec,
    digest,
    text,
    path,
    revision: 1,
    plannedAt: at,
    state: { kind: "planned", tries: 0, limit: spec.attempts, feedback: [] },
  };
  return { outcome: "moved", change: { ...noChange, tasks: [task] } };
}

function placeTask(world: World, event: Extract<FactoryEvent, { type: "task-placed" }>, at: number): Evolution {
  if (world.attempts.has(event.attempt)) return { outcome: "illegal", because: `${event.attempt} was placed twice` };
  const task = world.tasks.get(event.task);
  if (task === undefined) return { outcome: "illegal", because: `${event.task} is unknown` };
  const step = transitionTask(task, event, at);
  const attempt: Attempt = {
    id: event.attempt,
    task: event.task,
    n: event.n,
    node: event.node,
    base: event.base,
    executor: event.executor,
    placedAt: at,
    endedAt: 0,
    cursor: 0,
    rounds: [],
    notices: [],
    state: { kind: "starting" },
  };
  return asEvolution(step, (state) => ({ tasks: [state], attempts: [attempt] }));
}

function ofTask(world: World, event: Extract<TaskEvent, { task: TaskId }>, at: number): Evolution {
  const task = world.tasks.get(event.task);
  if (task === undefined) return { outcome: "illegal", because: `${event.task} is unknown` };
  const step = transitionTask(task, event, at);
  const project = world.projects.get(task.project);
  if (step.outcome !== "moved" || project === undefined) return asEvolution(step, (state) => ({ tasks: [state] }));
  if (event.type === "task-merged" && !isOnMain(project, task, event.commit)) {
    return { outcome: "illegal", because: `${task.id} was merged as ${event.commit}, which did not land` };
  }
  const after = projectAfter(project, event);
  if (after === project) return asEvolution(step, (state) => ({ tasks: [state] }));
  const others = queuedAgain(world, project.train, after.train, [task.id]);
  const evolution = asEvolution(step, (state) => ({ projects: [after], tasks: [state, ...others] }));
  if (evolution.outcome !== "moved") return evolution;
  const { change } = evolution;
  const effects = [...change.effects, ...cancelledRuns(project.train, after.train, project.id)];
  return { outcome: "moved", change: { ...change, effects } };
}

/** Its car has landed as this commit; or advances main to it, which branches that landed by themselves said with their merge. */
function isOnMain({ main, train }: Project, { state }: Task, commit: Oid): boolean {
  if (state.kind !== "landing") return false;
  const car = train.cars.find(({ id }) => id === state.car);
  return car === undefined ? main === commit : car.state.kind === "advancing" && car.state.candidate.commit === commit;
}

function projectAfter(project: Project, event: Extract<TaskEvent, { task: TaskId }>): Project {
  if (event.type === "task-merged") return { ...project, main: event.commit, train: leaveTrain(project.train, event.task, "landed") };
  if (event.type === "candidate-refused") return { ...project, train: leaveTrain(project.train, event.task, "refused") };
  return event.type === "task-cancelled" ? { ...project, train: leaveTrain(project.train, event.task, "cancelled") } : project;
}

/** Everybody who works on an older base of the project is told; when nobody does, the fact stands for itself. */
function tellAttempts(world: World, event: Extract<FactoryEvent, { type: "contract-changed" }>): Evolution {
  if (!world.projects.has(event.project)) return { outcome: "illegal", because: `project ${event.project} was never started` };
  const attempts: Attempt[] = [];
  const effects: Effect[] = [];
  for (const attempt of world.attempts.values()) {
    if (world.tasks.get(attempt.task)?.project !== event.project) continue;
    const step = tellOfContract(attempt, event.from, event.commit);
    if (step.outcome !== "moved") continue;
    attempts.push(step.state);
    effects.push(...step.effects);
  }
  return { outcome: "moved", change: { ...noChange, attempts, effects } };
}

/** The attempt moves first; its task follows, or ignores the message when it has gone on with another attempt. */
function ofAttempt(world: World, event: AttemptEvent & TaskEvent, at: number): Evolution {
  const attempt = world.attempts.get(event.attempt);
  if (attempt === undefined) return { outcome: "illegal", because: `${event.attempt} is unknown` };
  const step = transitionAttempt(attempt, event, at);
  if (step.outcome !== "moved") return step;
  const task = world.tasks.get(attempt.task);
  invariant(task !== undefined, `attempt ${attempt.id} has no task`);
  const follow = transitionTask(task, event, at, attempt);
  if (follow.outcome === "illegal") return follow;
  return {
    outcome: "moved",
    change: {
      ...noChange,
      tasks: follow.outcome === "moved" && follow.state !== task ? [follow.state] : [],
      attempts: step.state === attempt ? [] : [step.state],
      effects: [...step.effects, ...(follow.outcome === "moved" ? follow.effects : [])],
    },
  };
}

function ofNode(world: World, event: NodeEvent, at: number): Evolution {
  const step = transitionNode(world.nodes.get(event.node) ?? newNode(event.node), event, at);
  return asEvolution(step, (state) => ({ nodes: [state] }));
}

function asEvolution<T>(step: Step<T>, changes: (state: T) => Partial<Omit<Change, "effects">>): Evolution {
  if (step.outcome !== "moved") return step;
  return { outcome: "moved", change: { ...noChange, ...changes(step.state), effects: step.effects } };
}
