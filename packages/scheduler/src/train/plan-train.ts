import type { Car, CarId, Standing, TaskId, Train } from "@dispatch/core";
import { evenPart, evenSize, expectedBad } from "./expect-bad.ts";

/** A branch that may land, in a car or not. Handed over in landing order: priority, then arrival. */
export interface WaitingBranch {
  task: TaskId;
  /** What it goes together with: such branches rather share a car, so that they meet in one run. */
  group: string | undefined;
  /** It changes what every run rests on: its car holds nothing else. */
  alone: boolean;
}

export interface PlannedCar {
  kind: Car["kind"];
  members: readonly TaskId[];
  ahead: readonly CarId[];
}

/**
 * The cars to plan now. Cars stand in one line that leads to main; parts run beside it and prove their members, who
 * then ride with the next car at no risk. As long as a slot is free, the first of these:
 *
 * 1. Of a red group that no run searches: a part that is as likely red as green.
 * 2. Behind the cars in line, if they rather pass than not: all that is vetted, and so many unproven ones that the car
 *    is as likely red as green; none of these once a vetted one rode in a red car.
 * 3. Of the unproven ones: as many, as a part.
 * 4. Of any red group: a smaller part, since the slot would be idle.
 *
 * A car takes a slot while it is built or runs. Deciding again after the cars were recorded adds none.
 */
export function planTrain(train: Train, waiting: readonly WaitingBranch[], slots: number): PlannedCar[] {
  const planned: PlannedCar[] = [];
  let next = train;
  for (;;) {
    const car = nextCar(viewTrain(next, waiting, slots));
    if (car === undefined) return planned;
    planned.push(car);
    const lastCar = next.lastCar + 1;
    next = { ...next, lastCar, cars: [...next.cars, { ...car, id: String(lastCar), onto: "", state: { kind: "building", passed: null } }] };
  }
}

/** A train as one decision sees it. */
interface View {
  free: number;
  bad: number;
  line: readonly Car[];
  partLands: boolean;
  standings: ReadonlyMap<TaskId, Standing>;
  alone: ReadonlySet<TaskId>;
  /** In no car, and not to blame for a red one. */
  ready: readonly WaitingBranch[];
  /** Suspects that are in no car. `searched`: others of the group are in one. */
  groups: readonly { members: readonly WaitingBranch[]; searched: boolean }[];
}

function viewTrain(train: Train, waiting: readonly WaitingBranch[], slots: number): View {
  const standings = new Map(train.standings.map((standing) => [standing.task, standing]));
  const flying = new Set(train.cars.flatMap(({ members }) => members));
  const ready: WaitingBranch[] = [];
  const groups = new Map<CarId, WaitingBranch[]>();
  for (const branch of waiting) {
    const standing = standings.get(branch.task);
    if (flying.has(branch.task)) continue;
    if (standing?.kind !== "suspect") ready.push(branch);
    else groups.set(standing.group, [...(groups.get(standing.group) ?? []), branch]);
  }
  const searched = new Set(train.standings.flatMap((standing) => (standing.kind === "suspect" && flying.has(standing.task) ? [standing.group] : [])));
  return {
    free: slots - train.cars.filter(({ state }) => state.kind === "building" || state.kind === "running").length,
    bad: expectedBad(train.record),
    line: train.cars.filter(({ kind }) => kind === "car"),
    partLands: train.cars.some(({ kind, state }) => kind === "part" && state.kind === "advancing"),
    standings,
    alone: new Set(waiting.filter(({ alone }) => alone).map(({ task }) => task)),
    ready,
    groups: [...groups].map(([id, members]) => ({ members, searched: searched.has(id) })),
  };
}

function nextCar(view: View): PlannedCar | undefined {
  if (view.free <= 0) return undefined;
  const unsearched = view.groups.filter((group) => !group.searched);
  const [first] = unsearched;
  if (first !== undefined) return searchPart(view, first.members, view.ready.length > 0 ? 1 : Math.floor(view.free / unsearched.length));
  // What is built now would rest on the main that this part is about to replace.
  if (view.partLands) return undefined;
  const car = nextInLine(view) ?? provingPart(view);
  if (car !== undefined) return car;
  const [again] = view.groups;
  return again === undefined ? undefined : searchPart(view, again.members, view.free);
}

/** `runs`: how many parts of the group can run at once. What is left over is known when all parts are. */
function searchPart({ bad }: View, members: readonly WaitingBranch[], runs: number): PlannedCar {
  const size = runs > 1 ? Math.ceil(members.length / (runs + 1)) : evenPart(members.length, bad);
  return { kind: "part", members: gathered(members, size).map(({ task }) => task), ahead: [] };
}

function nextInLine(view: View): PlannedCar | undefined {
  const { line, ready, standings } = view;
  if (chanceOf(view) < 0.5) return undefined;
  const vetted = ready.flatMap(({ task }) => standings.get(task) ?? []).filter((standing) => standing.kind === "vetted");
  const room = vetted.some(({ reds }) => reds > 0) ? 0 : evenSize(view.bad);
  const unproven = gathered(
    ready.filter(({ task }) => standings.get(task)?.kind !== "vetted"),
    room,
  );
  const boarding = new Set([...vetted, ...unproven].map(({ task }) => task));
  const branches = ready.filter(({ task }) => boarding.has(task));
  const [first] = branches;
  if (first?.alone && line.length > 0) return undefined;
  const members = first?.alone ? [first] : branches.filter(({ alone }) => !alone);
  return members.length === 0 ? undefined : { kind: "car", members: members.map(({ task }) => task), ahead: line.map(({ id }) => id) };
}

/** How likely the cars in line pass. Nothing is stacked on a branch that rides alone. */
function chanceOf({ line, standings, bad, alone }: View): number {
  const members = line.flatMap((car) => car.members);
  if (line.some(({ state }) => state.kind === "red") || members.some((task) => alone.has(task))) return 0;
  return (1 - bad) ** members.filter((task) => standings.get(task)?.kind !== "vetted").length;
}

/** A doubted branch has to meet those it was red with, and that is in a car. */
function provingPart({ ready, standings, bad }: View): PlannedCar | undefined {
  const unknown = ready.filter(({ task, alone }) => !alone && !standings.has(task));
  if (unknown.length === 0) return undefined;
  return { kind: "part", members: gathered(unknown, evenSize(bad)).map(({ task }) => task), ahead: [] };
}

/** The first ones, in order; those that go together with one of them come before others that are not far ahead. */
function gathered(branches: readonly WaitingBranch[], size: number): readonly WaitingBranch[] {
  const near = branches.slice(0, 2 * size);
  const place = ({ group }: WaitingBranch, at: number): number => (group === undefined ? at : near.findIndex((other) => other.group === group));
  const nearest = near.map((branch, at) => ({ branch, at, place: place(branch, at) })).sort((a, b) => a.place - b.place || a.at - b.at);
  return nearest
    .slice(0, size)
    .sort((a, b) => a.at - b.at)
    .map(({ branch }) => branch);
}
