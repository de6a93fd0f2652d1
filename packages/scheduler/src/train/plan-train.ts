import { type Car, type CarId, standingOf, type TaskId, type Train } from "@dispatch/core";

/** A branch that may land now. Handed over in landing order. */
export interface WaitingBranch {
  task: TaskId;
  /** What it goes together with: branches of one group rather share a car. */
  group: string | undefined;
  /** It changes what every gate run rests on, and rides alone. */
  alone: boolean;
}

export interface PlannedCar {
  kind: Car["kind"];
  members: readonly TaskId[];
  ahead: readonly CarId[];
}

export const tuning = { mostUnproven: 32, chainFrom: 0.7, half: true };

/** The cars to plan now, so that no slot is idle while a run would tell or land something. Deciding again adds nothing. */
export function planTrain(train: Train, waiting: readonly WaitingBranch[], slots: number): PlannedCar[] {
  const planned: PlannedCar[] = [];
  let next = train;
  for (;;) {
    const car = nextCar(next, waiting, slots);
    if (car === undefined) return planned;
    planned.push(car);
    next = withPlanned(next, car);
  }
}

function withPlanned(train: Train, { kind, members, ahead }: PlannedCar): Train {
  const id = String(train.lastCar + 1);
  const car: Car = { id, kind, members, ahead, onto: "", state: { kind: "building", passed: null } };
  return { ...train, lastCar: train.lastCar + 1, cars: [...train.cars, car] };
}

function nextCar(train: Train, waiting: readonly WaitingBranch[], slots: number): PlannedCar | undefined {
  const free = slots - train.cars.filter(({ state }) => state.kind === "building" || state.kind === "running").length;
  if (free <= 0) return undefined;
  const flying = new Set(train.cars.flatMap(({ members }) => members));
  const idle = waiting.filter(({ task }) => !flying.has(task));
  const unproven = idle.filter(({ task }) => standingOf(train, task) === undefined);
  const vetted = idle.filter(({ task }) => standingOf(train, task)?.kind === "vetted");
  const groups = suspectGroups(train, idle);
  const searched = new Set([...flying].map((task) => groupOf(train, task)));
  const fresh = groups.find(({ group }) => !searched.has(group));
  const others = unproven.length > 0 || vetted.length > 0;
  const part = (members: readonly WaitingBranch[], known: boolean): PlannedCar => {
    const share = known && !others ? Math.max(1, Math.floor(free / groups.length)) : 1;
    const size = known ? (share >= members.length ? 1 : Math.ceil(members.length / (share + 1))) : members.length;
    return { kind: "part", members: members.slice(0, size).map(({ task }) => task), ahead: [] };
  };
  if (fresh !== undefined) return part(fresh.members, true);
  const bad = expectedBad(train);
  const cap = capOf(bad);
  const spine = train.cars.filter(({ kind }) => kind === "car");
  if (others && (spine.length === 0 || chance(train, spine, bad) >= tuning.chainFrom)) {
    const reds = Math.max(0, ...vetted.map(({ task }) => redsOf(train, task)));
    const room = vetted.length > 0 ? cap >> reds : cap;
    const members = new Set([...vetted, ...unproven.slice(0, room)]);
    const ordered = idle.filter((branch) => members.has(branch));
    const [first] = ordered;
    const lone = ordered.find(({ alone }) => alone);
    const taken = lone === undefined ? ordered : first === lone ? [lone] : ordered.filter(({ alone }) => !alone);
    return { kind: "car", members: taken.map(({ task }) => task), ahead: spine.map(({ id }) => id) };
  }
  const tried = unproven.filter(({ alone }) => !alone).slice(0, cap);
  if (tried.length > 0) return part(tried, false);
  const again = groups[0];
  return again === undefined ? undefined : part(again.members, true);
}

function suspectGroups(train: Train, idle: readonly WaitingBranch[]): { group: CarId; members: WaitingBranch[] }[] {
  const groups = new Map<CarId, WaitingBranch[]>();
  for (const branch of idle) {
    const group = groupOf(train, branch.task);
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), branch]);
  }
  return [...groups].map(([group, members]) => ({ group, members }));
}

function groupOf(train: Train, task: TaskId): CarId | undefined {
  const standing = standingOf(train, task);
  return standing?.kind === "suspect" ? standing.group : undefined;
}

function redsOf(train: Train, task: TaskId): number {
  const standing = standingOf(train, task);
  return standing?.kind === "vetted" ? standing.reds : 0;
}

function expectedBad({ record: { landed, refused } }: Train): number {
  return (1 + refused) / (20 + refused + landed);
}

function capOf(bad: number): number {
  if (bad > (3 - Math.sqrt(5)) / 2) return 1;
  return Math.min(tuning.mostUnproven, Math.max(1, Math.round(Math.LN2 / bad)));
}

function chance(train: Train, spine: readonly Car[], bad: number): number {
  let unproven = 0;
  for (const { state, members } of spine) {
    if (state.kind === "red") return 0;
    if (state.kind === "running" || state.kind === "building")
      unproven += members.filter((task) => standingOf(train, task)?.kind !== "vetted").length;
  }
  return (1 - bad) ** unproven;
}
