import type { Effect } from "./effect.ts";
import type { Candidate, FactoryEvent } from "./event.ts";
import type { CarId, Oid, ProjectId, TaskId } from "./ids.ts";
import { illegal, moved, type Step, stale } from "./step.ts";

/**
 * The landing train of a project: the candidate trees ("cars") on their way to main, and what runs have shown of the
 * branches that wait.
 *
 *   building ─► running ─► advancing ─► landed
 *      ▲         │  │          ▲
 *      │         │  └► passed ─┤    another car advances main just now
 *      └─────────┼───────┘     │    main moved by a car ahead: the same tree, built again
 *                └► red            red while cars ahead of it are not judged yet
 *
 * 1. A car is one main with branches on it: its own members, and those of the cars ahead of it. It is built after these.
 * 2. A car that passes on main as it is lands with all that it holds; the cars ahead of it need no run any more.
 * 3. A car whose tree was green and is only built again on a main that moved by what it holds needs no second run.
 * 4. What passes proves its members good (`vetted`). It does not land where main moved otherwise, nor as a part while a
 *    car is on its way, which would then be built in vain; its members wait again, and land with others.
 * 5. A red car takes with it the cars that hold its members. Those of its members that were never green are suspects of
 *    one group. A red part explains the red of its group, of the rest of which nothing is known any more.
 * 6. Who is left of a red group when all others were green, and is green without them, is doubted until it meets them.
 * 7. At most one car advances main.
 */
export interface Train {
  /** Number of the newest car; never goes down. */
  lastCar: number;
  /** In flight, in the order in which they were planned. */
  cars: readonly Car[];
  /** What runs have shown of tasks that wait or are in a car; nothing yet of those that are not listed. */
  standings: readonly Standing[];
  record: TrainRecord;
  /** The newest trees that were green, so that none of them is run again. */
  green: readonly GreenTree[];
}

export interface GreenTree {
  tree: Oid;
  /** Names the commands that judged it. */
  gateHash: string;
}

/**
 * `vetted`: green in a run, alone or with others; `reds`: in how many red ones it rode since, with others that are to blame.
 * `suspect`: in a red run that nothing else explains; `group` names that car.
 * `doubted`: the last of a red group, all others of which were green, and then green without them.
 * `behind`: met another branch in that car, and waits until it is gone.
 * `soloReds`: reds that only it can explain.
 */
export type Standing = { task: TaskId; soloReds: number } & (
  | { kind: "vetted"; reds: number }
  | { kind: "suspect"; group: CarId }
  | { kind: "doubted" }
  | { kind: "behind"; car: CarId }
);

/** How branches did lately: each new one makes the older ones weigh less. */
export interface TrainRecord {
  landed: number;
  refused: number;
  /** Branches that only could explain a red run, and were green later. Until runs have shown better, one is supposed. */
  flaky: number;
}

export interface Car {
  id: CarId;
  /** `part`: made to find out who is good; it lands only when no car is in flight. */
  kind: "car" | "part";
  /** In the order in which they land. */
  members: readonly TaskId[];
  /** Cars whose members it holds too, in order. */
  ahead: readonly CarId[];
  /** The main that its tree rests on, as soon as the cars ahead have landed. */
  onto: Oid;
  state: CarState;
}

export type CarState =
  /** `passed`: the tree that was green already. */
  | { kind: "building"; passed: Oid | null }
  /** `builtOn`: main when it was built. `broken`: how often the machine failed its run. */
  | { kind: "running"; candidate: Candidate; builtOn: Oid; broken: number }
  | { kind: "passed"; candidate: Candidate; builtOn: Oid }
  | { kind: "red"; candidate: Candidate }
  | { kind: "advancing"; candidate: Candidate };

export type CarEvent = Extract<FactoryEvent, { project: ProjectId; car: CarId }>;

export const emptyTrain: Train = { lastCar: 0, cars: [], standings: [], record: { landed: 0, refused: 0, flaky: 1 }, green: [] };

/** What one more branch leaves of the weight of those before it. */
const memory = 0.99;
/** Once in so many branches is often enough to ask twice. */
const flakyOnceIn = 1000;
const mostGreen = 100;
/** A machine that fails the same run so often in a row is not what is wrong. */
export const mostBrokenRuns = 3;

/** The train after something happened to one of its cars. `main`: where main is. */
export function transitionTrain(train: Train, event: CarEvent, main: Oid): Step<Train> {
  const { project } = event;
  if (event.type === "car-planned") return plannedCar(train, event, main);
  const car = train.cars.find(({ id }) => id === event.car);
  if (car === undefined) return stale(`car ${event.car} is not in flight`);
  if (event.type === "car-dropped") return droppedCar(train, project, car, main);
  if (event.type === "car-built") return builtCar(train, car, event);
  if (event.type === "car-landed") return landedCar(train, car, event);
  if (car.state.kind !== "running") return stale(`car ${car.id} is ${car.state.kind}`);
  switch (event.type) {
    case "car-passed":
      return passedCar(withGreen(train, event), project, car, car.state, main);
    case "car-failed":
      return failedCar(train, project, car, car.state.candidate);
    case "run-broken": {
      const again: Car = { ...car, state: { ...car.state, broken: car.state.broken + 1 } };
      return moved(withCar(train, again), ...runEffects(project, again));
    }
  }
}

/**
 * The train without a task that landed, was refused or was taken away. A car that was built with one that does not land
 * is of no use, nor is one without members, nor those behind them.
 */
export function leaveTrain(train: Train, task: TaskId, why: "landed" | "refused" | "cancelled"): Train {
  const left = train.cars.map((car) => (car.members.includes(task) ? { ...car, members: car.members.filter((member) => member !== task) } : car));
  const useless = left.filter((car, at) => car.members.length === 0 || (car !== train.cars[at] && why !== "landed" && car.state.kind !== "building"));
  return {
    ...train,
    cars: left.filter(({ id, ahead }) => !useless.some((other) => other.id === id || ahead.includes(other.id))),
    standings: train.standings.filter((standing) => standing.task !== task),
    record: why === "refused" ? counted(train.record, "refused", 1) : train.record,
  };
}

/** Main moved by what others pushed: what was built on the old one is of no use. */
export function abandonCars(train: Train, project: ProjectId): Step<Train> {
  return moved({ ...train, cars: [] }, ...train.cars.flatMap((car) => cancelEffects(project, car)));
}

/** Whether a branch that waits has to wait until a car in flight is gone. */
export function isBehind(train: Train, task: TaskId): boolean {
  const standing = standingOf(train, task);
  return standing?.kind === "behind" && train.cars.some(({ id }) => id === standing.car);
}

/** The runs of cars that are not in flight any more. */
export function cancelledRuns(before: Train, after: Train, project: ProjectId): Effect[] {
  if (before === after) return [];
  return before.cars.filter(({ id }) => !after.cars.some((car) => car.id === id)).flatMap((car) => cancelEffects(project, car));
}

export function standingOf(train: Train, task: TaskId): Standing | undefined {
  return train.standings.find((standing) => standing.task === task);
}

/** All that a car holds, its own members last. */
export function heldMembers(train: Train, car: Car): readonly TaskId[] {
  return [...train.cars.filter(({ id }) => car.ahead.includes(id)).flatMap(({ members }) => members), ...car.members];
}

/**
 * Whether a red run of a car is enough to refuse its only member: it is when a red run before named it too;
 * where runs are flaky, a second one is asked for otherwise.
 */
export function convicts(train: Train, car: Car): boolean {
  const [only, ...others] = car.members;
  if (only === undefined || others.length > 0 || car.ahead.length > 0) return false;
  const standing = standingOf(train, only);
  return standing?.kind === "suspect" || standing?.kind === "doubted" || !isFlaky(train.record);
}

function isFlaky({ landed, refused, flaky }: TrainRecord): boolean {
  return flaky * flakyOnceIn > landed + refused;
}

function withGreen(train: Train, { candidate: { tree }, gateHash }: Extract<CarEvent, { type: "car-passed" }>): Train {
  const others = train.green.filter((known) => known.tree !== tree || known.gateHash !== gateHash);
  return { ...train, green: [...others, { tree, gateHash }].slice(-mostGreen) };
}

function plannedCar(train: Train, event: Extract<CarEvent, { type: "car-planned" }>, main: Oid): Step<Train> {
  const { project, car: id, kind, members, ahead } = event;
  if (train.cars.some((car) => car.id === id)) return illegal(`car ${id} was planned twice`);
  if (members.length === 0) return illegal(`car ${id} has no members`);
  const twice = members.find((task) => train.cars.some((car) => car.members.includes(task)));
  if (twice !== undefined) return illegal(`${twice} is in a car already`);
  const before = train.cars.filter((car) => ahead.includes(car.id));
  if (before.length < ahead.length) return stale(`a car ahead of car ${id} is not in flight`);
  if (!before.every((car) => car.ahead.every((other) => ahead.includes(other))))
    return illegal(`car ${id} leaves out one ahead of those ahead of it`);
  const car: Car = { id, kind, members, ahead, onto: main, state: { kind: "building", passed: null } };
  const lastCar = Math.max(train.lastCar, Number(id) || 0);
  const planned = { ...train, lastCar, cars: [...train.cars, car] };
  return moved(planned, ...buildEffects(planned, project, car));
}

function builtCar(train: Train, car: Car, event: Extract<CarEvent, { type: "car-built" }>): Step<Train> {
  if (car.state.kind !== "building") return stale(`car ${car.id} is ${car.state.kind}`);
  const { project, candidate, members, onto = car.onto } = event;
  // Main moved while it was built; it is built again on that.
  if (onto !== car.onto) return stale(`car ${car.id} was built on ${onto}`);
  // Its tree holds one that left meanwhile, or nobody.
  if (members.length === 0 || !members.every((task) => car.members.includes(task))) return withoutCars(train, project, car);
  const next = withBehind(train, car, members);
  if (car.state.passed === candidate.tree) {
    const passed: Car = { ...car, members, state: { kind: "passed", candidate, builtOn: car.onto } };
    return someoneAdvances(next) ? moved(withCar(next, passed)) : goOn(next, project, passed, car.onto);
  }
  const running: Car = { ...car, members, state: { kind: "running", candidate, builtOn: car.onto, broken: 0 } };
  const built = withCar(next, running);
  const behind = built.cars.filter(({ ahead, state }) => state.kind === "building" && ahead.includes(car.id));
  return moved(built, ...runEffects(project, running), ...behind.flatMap((other) => buildEffects(built, project, other)));
}

/** Those that met an earlier member wait until it has landed, or went back. */
function withBehind(train: Train, car: Car, members: readonly TaskId[]): Train {
  const left = car.members.filter((member) => !members.includes(member));
  if (left.length === 0) return train;
  const others = train.standings.filter(({ task }) => !left.includes(task));
  return { ...train, standings: [...others, ...left.map((task): Standing => ({ task, soloReds: 0, kind: "behind", car: car.id }))] };
}

function passedCar(train: Train, project: ProjectId, car: Car, run: Extract<CarState, { kind: "running" }>, main: Oid): Step<Train> {
  const vetted = vet(train, heldMembers(train, car));
  const passed: Car = { ...car, state: { kind: "passed", candidate: run.candidate, builtOn: run.builtOn } };
  if (onlyProves(train, car)) return withoutCars(vetted, project, car);
  return someoneAdvances(train) ? moved(withCar(vetted, passed)) : goOn(vetted, project, passed, main);
}

/** A part that landed now would take main away from under the car that is on its way there. */
function onlyProves(train: Train, { id, kind, ahead }: Car): boolean {
  return kind === "part" && train.cars.some((other) => other.kind === "car" && other.id !== id && !ahead.includes(other.id));
}

/** What a green car does on main as it is now. */
function goOn(train: Train, project: ProjectId, car: Car, main: Oid): Step<Train> {
  if (car.state.kind !== "passed") return moved(train);
  const { candidate, builtOn } = car.state;
  if (car.onto !== main) return withoutCars(train, project, car);
  if (builtOn !== main) {
    const again: Car = { ...car, state: { kind: "building", passed: candidate.tree } };
    return moved(withCar(train, again), ...buildEffects(train, project, again));
  }
  const advancing: Car = { ...car, state: { kind: "advancing", candidate } };
  return moved(withCar(train, advancing), ...advanceEffects(project, advancing));
}

function failedCar(train: Train, project: ProjectId, car: Car, candidate: Candidate): Step<Train> {
  if (car.ahead.length > 0) return moved(withCar(train, { ...car, state: { kind: "red", candidate } }));
  const unproven = car.members.filter((member) => standingOf(train, member)?.kind !== "vetted");
  // When all were green before, they are red only together.
  const blamed = unproven.length > 0 ? unproven : car.members;
  const alone = car.members.length === 1 ? 1 : 0;
  const suspects = blamed.map(
    (task): Standing => ({
      task,
      soloReds: (standingOf(train, task)?.soloReds ?? 0) + alone,
      kind: "suspect",
      group: car.id,
    }),
  );
  const groups = new Set(
    train.standings.flatMap((standing) => (standing.kind === "suspect" && blamed.includes(standing.task) ? [standing.group] : [])),
  );
  const others = train.standings
    .filter(({ task }) => !blamed.includes(task))
    // One part explains the red of the whole; of the rest nothing is known any more.
    .filter((standing) => standing.kind !== "suspect" || standing.soloReds > 0 || !groups.has(standing.group))
    .map((standing) => (standing.kind === "vetted" && car.members.includes(standing.task) ? { ...standing, reds: standing.reds + 1 } : standing));
  const standings = [...others, ...suspects];
  return withoutCars({ ...train, standings }, project, car);
}

/** Who waited for it to advance main goes on. */
function droppedCar(train: Train, project: ProjectId, car: Car, main: Oid): Step<Train> {
  const step = withoutCars(train, project, car);
  if (step.outcome !== "moved" || car.state.kind !== "advancing") return step;
  return settleCars(step.state, project, main, step.effects);
}

function landedCar(train: Train, car: Car, event: Extract<CarEvent, { type: "car-landed" }>): Step<Train> {
  if (car.state.kind !== "advancing" || car.state.candidate.commit !== event.commit) {
    return illegal(`car ${car.id} landed as ${event.commit} while ${car.state.kind}`);
  }
  const { project, commit } = event;
  const gone = new Set([car.id, ...car.ahead]);
  const landed = heldMembers(train, car);
  const doubted = train.standings.filter(({ task, kind }) => kind === "doubted" && landed.includes(task)).length;
  const effects: Effect[] = train.cars.filter(({ id }) => car.ahead.includes(id)).flatMap((ahead) => cancelEffects(project, ahead));
  const next: Train = {
    ...train,
    cars: train.cars.filter(({ id }) => !gone.has(id)).map((other) => afterLanding(other, car, gone, commit)),
    standings: train.standings.filter(({ task }) => !landed.includes(task)),
    record: counted({ ...train.record, flaky: train.record.flaky + doubted }, "landed", landed.length),
  };
  return settleCars(next, project, commit, effects);
}

function settleCars(train: Train, project: ProjectId, main: Oid, before: readonly Effect[]): Step<Train> {
  let next = train;
  const effects = [...before];
  for (const { id } of train.cars) {
    const current = next.cars.find((car) => car.id === id);
    if (current === undefined) continue;
    const step = settle(next, project, current, main);
    if (step.outcome !== "moved") continue;
    next = step.state;
    effects.push(...step.effects);
  }
  return moved(next, ...effects);
}

/** Whoever held what landed rests on the new main now; what is not built yet is built on it in any case. */
function afterLanding(other: Car, landed: Car, gone: ReadonlySet<CarId>, commit: Oid): Car {
  const ahead = other.ahead.filter((id) => !gone.has(id));
  const rests = other.ahead.includes(landed.id) || (other.state.kind === "building" && other.state.passed === null);
  return { ...other, ahead, onto: rests ? commit : other.onto };
}

/** What becomes of a car in flight when main has just moved. */
function settle(train: Train, project: ProjectId, car: Car, main: Oid): Step<Train> {
  switch (car.state.kind) {
    case "building":
      // With another car that rests on the old main it would be built in vain.
      if (car.onto !== main) return withoutCars(train, project, car);
      return moved(train, ...buildEffects(train, project, car));
    case "passed":
      return someoneAdvances(train) ? moved(train) : goOn(train, project, car, main);
    case "red":
      return car.ahead.length > 0 ? moved(train) : failedCar(train, project, car, car.state.candidate);
    case "running":
    case "advancing":
      return moved(train);
  }
}

/** Takes a car away, and those that hold its members. */
function withoutCars(train: Train, project: ProjectId, car: Car): Step<Train> {
  const gone = train.cars.filter(({ id, ahead }) => id === car.id || ahead.includes(car.id));
  const cars = train.cars.filter((other) => !gone.includes(other));
  return moved({ ...train, cars }, ...gone.filter(({ id }) => id !== car.id).flatMap((other) => cancelEffects(project, other)));
}

function vet(train: Train, tasks: readonly TaskId[]): Train {
  const standings = tasks.map((task): Standing => {
    const before = standingOf(train, task);
    if (unexplained(train, before, tasks)) return { task, soloReds: 1, kind: "doubted" };
    return { task, soloReds: 0, kind: "vetted", reds: 0 };
  });
  const cleared = standings.filter(({ task, kind }) => kind === "vetted" && (standingOf(train, task)?.soloReds ?? 0) > 0).length;
  return {
    ...train,
    standings: [...train.standings.filter(({ task }) => !tasks.includes(task)), ...standings],
    record: { ...train.record, flaky: train.record.flaky + cleared },
  };
}

/** The last of a red group, all others of which were green, is not good because it is green without them. */
function unexplained(train: Train, standing: Standing | undefined, green: readonly TaskId[]): boolean {
  if (standing?.kind !== "suspect" || standing.soloReds > 0) return false;
  return !train.standings.some((other) => other.kind === "suspect" && other.group === standing.group && !green.includes(other.task));
}

function counted(record: TrainRecord, what: "landed" | "refused", branches: number): TrainRecord {
  const kept = memory ** branches;
  const faded = { landed: record.landed * kept, refused: record.refused * kept, flaky: record.flaky * kept };
  return { ...faded, [what]: faded[what] + branches };
}

function withCar(train: Train, car: Car): Train {
  return { ...train, cars: train.cars.map((other) => (other.id === car.id ? car : other)) };
}

function someoneAdvances(train: Train): boolean {
  return train.cars.some(({ state }) => state.kind === "advancing");
}

/** A car is built after those ahead of it, since only then it is known what they hold. */
function buildEffects(train: Train, project: ProjectId, { id, onto, ahead }: Car): Effect[] {
  if (train.cars.some((other) => ahead.includes(other.id) && other.state.kind === "building")) return [];
  return [{ do: "build-car", project, car: id, onto }];
}

function runEffects(project: ProjectId, { id, state }: Car): Effect[] {
  if (state.kind !== "running") return [];
  return [{ do: "run-car", project, car: id, commit: state.candidate.commit, broken: state.broken }];
}

function advanceEffects(project: ProjectId, { id, state }: Car): Effect[] {
  return state.kind === "advancing" ? [{ do: "advance-main", project, car: id, commit: state.candidate.commit }] : [];
}

function cancelEffects(project: ProjectId, { id, state }: Car): Effect[] {
  return state.kind === "running" ? [{ do: "cancel-run", project, car: id, builtOn: state.builtOn }] : [];
}
