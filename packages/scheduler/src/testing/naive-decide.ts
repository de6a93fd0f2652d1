import {
  type Attempt,
  attemptIdOf,
  coversAny,
  holdsLock,
  holdsSlot,
  isBehind,
  isEnded,
  isLive,
  lockedPaths,
  type NodeSnapshot,
  patternsOverlap,
  reachesInto,
  type Task,
  taskIdOf,
} from "@dispatch/core";
import type { Decision, Snapshot } from "../index.ts";
import { planTrain } from "../train/plan-train.ts";

/**
 * The definitions of README.md as loops over everything: the oracle of the board. It shares with it the words of core
 * and nothing else.
 */
export function naiveDecide(snapshot: Snapshot, now: number, atMost = Number.POSITIVE_INFINITY): Decision[] {
  const decisions: Decision[] = [];
  for (const id of [...snapshot.world.projects.keys()].sort()) decisions.push(...naiveLanding(snapshot, id));
  const open = [...snapshot.world.tasks.values()].filter((task) => !isEnded(task));
  const estimates = naiveEstimates(snapshot, open);
  const scores = naiveScores(open, estimates);
  const view = viewOf(snapshot);
  while (decisions.length < atMost) {
    const picked = pickNext(view, scores, estimates, now);
    if (picked === undefined) return decisions;
    const { task, node } = picked;
    const n = task.state.tries + 1;
    decisions.push({ decide: "place", task: task.id, attempt: attemptIdOf(task.id, n), n, node: node.id, base: mainOf(snapshot, task) });
    view.placed.push({ task, node: node.id });
  }
  return decisions;
}

interface View {
  snapshot: Snapshot;
  tasks: Task[];
  /** Picked in this pass, as if they had started. */
  placed: { task: Task; node: string }[];
}

/** What is true before one pick. */
interface Moment extends View {
  holders: Task[];
  /** Who holds a slot, by node. */
  on: Map<string, Task[]>;
  /** Projects that have ever run on a node, as `project node`. */
  knows: Set<string>;
  running: Task[];
}

function momentOf(view: View): Moment {
  const { snapshot, tasks, placed } = view;
  const { world } = snapshot;
  const on = new Map<string, Task[]>();
  const knows = new Set<string>();
  const running: Task[] = [];
  const seat = (task: Task, node: string, works: boolean): void => {
    const there = on.get(node);
    if (there === undefined) on.set(node, [task]);
    else there.push(task);
    if (works) running.push(task);
  };
  for (const attempt of world.attempts.values()) {
    const task = world.tasks.get(attempt.task);
    if (task === undefined) continue;
    knows.add(`${task.project} ${attempt.node}`);
    if (holdsSlot(attempt)) seat(task, attempt.node, isLive(attempt));
  }
  for (const { task, node } of placed) {
    knows.add(`${task.project} ${node}`);
    seat(task, node, true);
  }
  return { ...view, holders: [...tasks.filter(holdsLock), ...placed.map((one) => one.task)], on, knows, running };
}

function viewOf(snapshot: Snapshot): View {
  return { snapshot, tasks: [...snapshot.world.tasks.values()], placed: [] };
}

function mainOf(snapshot: Snapshot, task: Task): string {
  return snapshot.world.projects.get(task.project)?.main ?? "";
}

/** Which branches wait and how many runs there may be, worked out anew; which cars they make is the train's own matter. */
function naiveLanding({ world, projects, nodes }: Snapshot, id: string): Decision[] {
  const project = world.projects.get(id);
  const policy = projects.get(id);
  if (project === undefined || policy === undefined) return [];
  const all = [...world.tasks.values()];
  const { collect, train } = project;
  const isLandable = (task: Task): boolean => task.state.kind === "queued" || task.state.kind === "landing";
  if (collect.kind === "landing" && !all.some((task) => collect.tasks.includes(task.id) && isLandable(task))) {
    return [{ decide: "publish", project: id }];
  }
  const shut = project.landing.kind === "frozen" || collect.kind === "taking-in" || collect.kind === "publishing";
  const waiting = all
    .filter((task) => task.project === id && isLandable(task) && (task.state.kind === "landing" || (!shut && !isBehind(train, task.id))))
    .filter(
      (task) => task.state.kind === "landing" || policy.landing === "continuous" || (collect.kind === "landing" && collect.tasks.includes(task.id)),
    )
    .sort((a, b) => a.spec.priority - b.spec.priority || queuedAt(a) - queuedAt(b) || (a.id < b.id ? -1 : 1))
    .map((task) => ({ task: task.id, group: undefined, alone: false }));
  let slots = 0;
  for (const node of nodes) if (node.status.kind === "up") slots += node.gateSlots;
  const others = new Set(all.filter((task) => isLandable(task) && world.projects.has(task.project)).map((task) => task.project));
  const cars = planTrain(train, waiting, Math.max(1, Math.floor(slots / Math.max(1, others.size))));
  return cars.map((car, n) => ({ decide: "form-car", project: id, car: String(train.lastCar + 1 + n), ...car }));
}

function queuedAt(task: Task): number {
  return task.state.kind === "queued" || task.state.kind === "landing" ? task.state.since : 0;
}

/** Seconds; for every task that has not ended. */
function naiveScores(open: readonly Task[], estimates: ReadonlyMap<string, number>): Map<string, number> {
  const scores = new Map<string, number>();
  const month = 30 * 86_400;
  // Backwards along the edges until nothing changes: on a cycle everything grows to the longest path there is.
  for (const task of open) scores.set(task.id, Math.min(month, estimates.get(task.id) ?? 0));
  const lastFirst = [...open].reverse();
  for (let changed = true; changed; ) {
    changed = false;
    for (const task of lastFirst) {
      for (const needed of task.spec.dependsOn) {
        const id = taskIdOf(task.project, needed);
        const before = scores.get(id);
        if (before === undefined) continue;
        const after = Math.min(month, Math.max(before, (estimates.get(id) ?? 0) + (scores.get(task.id) ?? 0)));
        if (after === before) continue;
        scores.set(id, after);
        changed = true;
      }
    }
  }
  return scores;
}

/** A task is as urgent as the most urgent one that waits for it. */
function naivePriorities(open: readonly Task[]): Map<string, number> {
  const priorities = new Map<string, number>(open.map((task) => [task.id, task.spec.priority]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const task of open) {
      for (const needed of task.spec.dependsOn) {
        const id = taskIdOf(task.project, needed);
        const before = priorities.get(id);
        if (before === undefined || before <= (priorities.get(task.id) ?? 3)) continue;
        priorities.set(id, priorities.get(task.id) ?? 3);
        changed = true;
      }
    }
  }
  return priorities;
}

/** What main overtook counts one class more urgent when it is done again. */
function naiveClass({ state }: Task, priority: number): number {
  const refused = "feedback" in state && state.feedback.some((finding) => finding.gate === "landing" && finding.severity === "block");
  return Math.max(0, refused ? priority - 1 : priority);
}

function naiveEstimates({ world, projects }: Snapshot, tasks: readonly Task[]): Map<string, number> {
  const estimates = new Map<string, number>();
  const known = new Map<string, number>();
  for (const task of tasks) {
    const executor = task.spec.executor === "auto" ? (projects.get(task.project)?.executor ?? "auto") : task.spec.executor;
    const key = `${executor}/${task.spec.type}`;
    if (!known.has(key)) {
      let actual = 7_200_000;
      let estimated = 7_200_000;
      for (const attempt of world.attempts.values()) {
        const spec = world.tasks.get(attempt.task)?.spec;
        if (spec === undefined || spec.type !== task.spec.type || attempt.executor !== executor) continue;
        if (!("outcome" in attempt.state) || attempt.state.outcome.kind !== "succeeded") continue;
        actual += attempt.endedAt - attempt.placedAt;
        estimated += spec.estimateMinutes * 60_000;
      }
      const halves = Math.round(2 * Math.log2(actual / estimated));
      known.set(key, 2 ** (Math.min(8, Math.max(-8, halves)) / 2));
    }
    estimates.set(task.id, Math.max(60, Math.round(task.spec.estimateMinutes * 60 * (known.get(key) ?? 1))));
  }
  return estimates;
}

function readyFrom({ world, projects }: Snapshot, task: Task, now: number): number | undefined {
  const { state, spec } = task;
  if (state.kind !== "planned" && state.kind !== "backoff") return undefined;
  if (!projects.has(task.project) || world.projects.get(task.project)?.placing.kind !== "running") return undefined;
  const times = [task.plannedAt];
  if (state.kind === "backoff") times.push(state.until);
  if (state.tries > 0) times.push(world.attempts.get(attemptIdOf(task.id, state.tries))?.endedAt ?? 0);
  for (const id of spec.dependsOn) {
    const needed = world.tasks.get(taskIdOf(task.project, id))?.state;
    if (needed?.kind !== "merged") return undefined;
    times.push(needed.at);
  }
  for (const id of spec.after) {
    const needed = world.tasks.get(taskIdOf(task.project, id))?.state;
    if (needed?.kind === "merged") times.push(needed.at);
    else if (needed?.kind === "parked") times.push(needed.since);
    else if (needed?.kind !== "cancelled") return undefined;
  }
  return state.kind === "backoff" && state.until > now ? undefined : Math.max(...times);
}

function isContract({ projects }: Snapshot, { spec, project }: Task): boolean {
  const contracts = projects.get(project)?.contracts ?? [];
  return spec.type === "contract" || lockedPaths(spec).some((path) => contracts.some((contract) => reachesInto(path, contract)));
}

function conflict(snapshot: Snapshot, a: Task, b: Task): boolean {
  if (a.project !== b.project) return false;
  if (isContract(snapshot, a) || isContract(snapshot, b)) return true;
  const shared = snapshot.projects.get(a.project)?.shared ?? [];
  const own = (paths: readonly string[]) => paths.filter((path) => !coversAny(shared, path));
  const meet = (left: readonly string[], right: readonly string[]) =>
    own(left).some((one) => own(right).some((other) => patternsOverlap(one, other)));
  return meet(lockedPaths(a.spec), lockedPaths(b.spec)) || meet(lockedPaths(a.spec), b.spec.reads) || meet(a.spec.reads, lockedPaths(b.spec));
}

interface Ready {
  task: Task;
  since: number;
  /** Class, share of the project in use, slots of the direction in use, score downwards, planned, id. */
  order: readonly [number, number, number, number, number, string];
}

function pickNext(
  view: View,
  scores: ReadonlyMap<string, number>,
  estimates: ReadonlyMap<string, number>,
  now: number,
): { task: Task; node: NodeSnapshot } | undefined {
  const moment = momentOf(view);
  const { snapshot, tasks, placed, holders: all } = moment;
  const holding = (task: Task) => all.filter((holder) => holder.id !== task.id && conflict(snapshot, task, holder));
  const started = new Set(placed.map((one) => one.task));
  const shares = sharesOf(moment);
  const ready: Ready[] = [];
  const priorities = naivePriorities(tasks.filter((task) => !isEnded(task)));
  for (const task of tasks) {
    const since = started.has(task) ? undefined : readyFrom(snapshot, task, now);
    if (since !== undefined)
      ready.push({ task, since, order: orderOf(shares, task, naiveClass(task, priorities.get(task.id) ?? 0), since, scores.get(task.id) ?? 0, now) });
  }
  ready.sort((a, b) => compare(a.order, b.order));
  const barriers = barriersOf(snapshot, ready);
  const claims = new Map<string, { task: Task; until: number }[]>();
  const passedOver = new Map<string, number>();
  for (const one of ready) {
    const { task } = one;
    const barrier = barriers.get(task.project);
    if (barrier !== undefined && barrier !== task) continue;
    const node = nodesFor(moment, task)[0];
    if (node === undefined) continue;
    const contract = isContract(snapshot, task);
    const known = claims.get(task.project) ?? [];
    const met = contract ? [] : known.filter((claim) => conflict(snapshot, task, claim.task));
    const holders = holding(task);
    if (holders.length === 0 && met.every(({ until }) => now + (estimates.get(task.id) ?? 0) * 1000 <= until)) return { task, node };
    if (contract) continue;
    const place = (passedOver.get(task.project) ?? 0) + 1;
    passedOver.set(task.project, place);
    if (place > 8 || holders.length === 0 || met.length > 0 || !mayClaim(snapshot, task)) continue;
    const unforeseeable = now - one.since < 1_800_000 ? Number.POSITIVE_INFINITY : now;
    claims.set(task.project, [...known, { task, until: holders.length > 16 ? unforeseeable : endOf(view, holders, estimates, now) }]);
  }
  return undefined;
}

function mayClaim({ projects, world }: Snapshot, { project }: Task): boolean {
  return projects.get(project)?.landing === "continuous" && world.projects.get(project)?.landing.kind === "open";
}

/** When the last of the holders will have ended by estimate. */
function endOf({ snapshot, placed }: View, holders: readonly Task[], estimates: ReadonlyMap<string, number>, now: number): number {
  let end = now;
  for (const task of holders) {
    const { state } = task;
    const since = placed.some((one) => one.task === task)
      ? now
      : "attempt" in state
        ? snapshot.world.attempts.get(state.attempt)?.placedAt
        : undefined;
    if (since === undefined || state.kind === "collecting" || state.kind === "checking" || state.kind === "queued" || state.kind === "landing")
      continue;
    end = Math.max(end, since + (estimates.get(task.id) ?? 0) * 1000);
  }
  return end;
}

/** A ready task that changes the contract, and that some node could take, goes before all others of its project. */
function barriersOf(snapshot: Snapshot, ready: readonly Ready[]): Map<string, Task> {
  const barriers = new Map<string, Task>();
  const possible = ready.filter(({ task }) => isContract(snapshot, task) && snapshot.nodes.some((node) => couldRun(snapshot, node, task)));
  possible.sort((a, b) => compare(withoutShares(a), withoutShares(b)));
  for (const { task } of possible) if (!barriers.has(task.project)) barriers.set(task.project, task);
  return barriers;
}

function withoutShares({ order }: Ready): Ready["order"] {
  return [order[0], 0, 0, order[3], order[4], order[5]];
}

interface Shares {
  project(task: Task): number;
  direction(task: Task): number;
}

function sharesOf({ snapshot, running }: Moment): Shares {
  const counts = new Map<string, number>();
  const count = (key: string): void => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  for (const { project, spec } of running) {
    count(project);
    count(JSON.stringify([project, spec.direction]));
  }
  return {
    project: ({ project }) => (counts.get(project) ?? 0) / (snapshot.projects.get(project)?.share ?? 1),
    direction: ({ project, spec }) => counts.get(JSON.stringify([project, spec.direction])) ?? 0,
  };
}

function orderOf(shares: Shares, task: Task, priority: number, since: number, score: number, now: number): Ready["order"] {
  const urgency = Math.max(0, priority - Math.max(0, Math.floor((now - since) / 86_400_000)));
  return [urgency, shares.project(task), shares.direction(task), -score, task.plannedAt, task.id];
}

function compare(a: Ready["order"], b: Ready["order"]): number {
  for (const [i, value] of a.entries()) {
    const other = b[i] as typeof value;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

function couldRun({ projects }: Snapshot, node: NodeSnapshot, { spec, project }: Task): boolean {
  const executor = spec.executor === "auto" ? (projects.get(project)?.executor ?? null) : spec.executor;
  return (
    node.status.kind === "up" &&
    node.closed === null &&
    node.slots > 0 &&
    (spec.nodes.length === 0 || spec.nodes.includes(node.id)) &&
    spec.nodeLabels.every((label) => node.labels.includes(label)) &&
    (node.executors === null || executor === null || node.executors.includes(executor)) &&
    spec.resources.cpus <= node.capacity.cpus &&
    spec.resources.memoryMb <= node.capacity.memoryMb &&
    spec.resources.gpus <= node.capacity.gpus
  );
}

/** The nodes that fit now, the best first. */
function nodesFor({ snapshot, on, knows }: Moment, task: Task): NodeSnapshot[] {
  const { world } = snapshot;
  const there = (node: NodeSnapshot): readonly Task[] => on.get(node.id) ?? [];
  const fits = snapshot.nodes.filter((node) => {
    if (there(node).length >= node.slots || !couldRun(snapshot, node, task)) return false;
    return (["cpus", "memoryMb", "gpus"] as const).every((resource) => {
      const wanted = task.spec.resources[resource];
      return wanted === 0 || there(node).reduce((sum, other) => sum + other.spec.resources[resource], 0) + wanted <= node.capacity[resource];
    });
  });
  const last: Attempt | undefined = world.attempts.get(attemptIdOf(task.id, task.state.tries));
  const lost = last !== undefined && (last.state.kind === "fenced" || ("outcome" in last.state && last.state.outcome.kind === "lost"));
  const merits = (node: NodeSnapshot): Ready["order"] => [
    node.lowPriority ? 1 : 0,
    node.load !== null && node.load > 1.5 ? 1 : 0,
    last !== undefined && !lost && last.node === node.id ? 0 : 1,
    knows.has(`${task.project} ${node.id}`) ? 0 : 1,
    -((node.slots - there(node).length) / node.slots),
    node.id,
  ];
  return fits.sort((a, b) => compare(merits(a), merits(b)));
}
