import {
  abandonCars,
  type Candidate,
  type CarEvent,
  type CarId,
  convicts,
  type Effect,
  emptyTrain,
  heldMembers,
  leaveTrain,
  type Oid,
  type TaskId,
  type Train,
  transitionTrain,
} from "@dispatch/core";
import { type PlannedCar, planTrain, type WaitingBranch } from "../train/plan-train.ts";

export interface TrainListener {
  /** A run of a tree starts: `held` on top of `landed`. */
  started(car: CarId, held: readonly TaskId[], landed: readonly TaskId[]): void;
  cancelled(car: CarId): void;
  landed(tasks: readonly TaskId[]): void;
  refused(task: TaskId): void;
  /** Does not fit on main: is refused when its car is built, which goes without it. */
  misfit?(task: TaskId): boolean;
}

export interface TrainDriver {
  train(): Train;
  waiting(): readonly WaitingBranch[];
  /** Effects asked for and not performed yet, but for runs, which start and end at once. */
  pending(): readonly Effect[];
  arrive(branch: WaitingBranch): void;
  plan(): PlannedCar[];
  perform(effect: Effect): void;
  judge(car: CarId, red: boolean): void;
  breakRun(car: CarId): void;
  drop(car: CarId): void;
  /** Others push to main. */
  moveMain(): void;
}

const project = "shop";

/** One project's landing as the engine does it, with a hub that is a list of what landed. Throws where a landing would not be what was judged. */
export function driveTrain(slots: number, listener: TrainListener): TrainDriver {
  let train = emptyTrain;
  let main: Oid = "main";
  let commits = 0;
  let waiting: readonly WaitingBranch[] = [];
  let pending: readonly Effect[] = [];
  const landed: TaskId[] = [];
  const parents = new Map<Oid, Oid>();
  const green = new Set<string>();

  const take = (effects: readonly Effect[]): void => {
    for (const effect of effects) {
      if (effect.do === "run-car" || effect.do === "cancel-run") perform(effect);
      else pending = [...pending, effect];
    }
  };
  const record = (event: CarEvent): void => {
    const step = transitionTrain(train, event, main);
    if (step.outcome === "illegal") throw new Error(`${event.type} of car ${event.car}: ${step.because}`);
    if (step.outcome !== "moved") return;
    train = step.state;
    take(step.effects);
  };
  const leave = (task: TaskId, why: "landed" | "refused"): void => {
    train = leaveTrain(train, task, why);
    waiting = waiting.filter((branch) => branch.task !== task);
  };
  const refuse = (task: TaskId): void => {
    leave(task, "refused");
    listener.refused(task);
  };
  const treeOf = (held: readonly TaskId[]): string => [...landed, ...held].sort().join(" ");
  const build = (id: CarId, onto: Oid): void => {
    const car = train.cars.find((other) => other.id === id);
    if (car?.state.kind !== "building" || onto !== main) return;
    const misfits = car.members.filter((task) => listener.misfit?.(task));
    const members = car.members.filter((task) => !misfits.includes(task));
    if (members.length === 0) record({ type: "car-dropped", project, car: id, because: "none of them fits on main" });
    else {
      const ahead = heldMembers(train, { ...car, members: [] });
      const candidate: Candidate = { commit: `c${++commits}`, merge: "", tree: treeOf([...ahead, ...members]) };
      parents.set(candidate.commit, main);
      record({ type: "car-built", project, car: id, members, candidate });
    }
    for (const task of misfits) refuse(task);
  };
  const advance = (id: CarId, commit: Oid): void => {
    const car = train.cars.find((other) => other.id === id);
    if (car?.state.kind !== "advancing" || car.state.candidate.commit !== commit) return;
    const held = heldMembers(train, car);
    const { tree } = car.state.candidate;
    if (parents.get(commit) !== main) throw new Error(`car ${id} lands on ${main}, and rests on ${parents.get(commit)}`);
    if (tree !== treeOf(held)) throw new Error(`car ${id} lands ${held}, and its tree is ${tree}`);
    if (!green.has(tree)) throw new Error(`car ${id} lands a tree that was never green`);
    const from = main;
    main = commit;
    landed.push(...held);
    listener.landed(held);
    record({ type: "car-landed", project, car: id, commit, from });
    for (const task of held) leave(task, "landed");
  };
  const perform = (effect: Effect): void => {
    pending = pending.filter((other) => other !== effect);
    if (effect.do === "build-car") build(effect.car, effect.onto);
    if (effect.do === "advance-main") advance(effect.car, effect.commit);
    if (effect.do === "cancel-run") listener.cancelled(effect.car);
    if (effect.do !== "run-car") return;
    const car = train.cars.find(({ id }) => id === effect.car);
    if (car !== undefined) listener.started(car.id, heldMembers(train, car), [...landed]);
  };
  return {
    train: () => train,
    waiting: () => waiting,
    pending: () => pending,
    arrive(branch) {
      waiting = [...waiting, branch];
    },
    plan() {
      const planned = planTrain(train, waiting, slots);
      for (const { kind, members, ahead } of planned) {
        record({ type: "car-planned", project, car: String(train.lastCar + 1), kind, members, ahead });
      }
      return planned;
    },
    perform,
    judge(id, red) {
      const car = train.cars.find((other) => other.id === id);
      if (car?.state.kind !== "running") return;
      const { candidate } = car.state;
      if (red) {
        const [convict] = convicts(train, car) ? car.members : [];
        record({ type: "car-failed", project, car: id, findings: [] });
        if (convict !== undefined) refuse(convict);
        return;
      }
      green.add(candidate.tree);
      record({ type: "car-passed", project, car: id, candidate, run: id, gateHash: "g", verify: [] });
    },
    breakRun: (id) => record({ type: "run-broken", project, car: id, because: "no space" }),
    drop: (id) => record({ type: "car-dropped", project, car: id, because: "it cannot be built" }),
    moveMain() {
      main = `other${++commits}`;
      const step = abandonCars(train, project);
      if (step.outcome !== "moved") return;
      train = step.state;
      take(step.effects);
    },
  };
}
