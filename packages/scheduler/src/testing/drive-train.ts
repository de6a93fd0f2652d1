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

/** One project's landing as the engine does it, with a hub that is a list of what landed. */
export interface TrainDriver {
  train(): Train;
  waiting(): readonly WaitingBranch[];
  /** Effects asked for and not performed yet, but for runs, which start and end at once. */
  pending(): readonly Effect[];
  arrive(branch: WaitingBranch): void;
  plan(): PlannedCar[];
  /** Throws when what lands is not what was judged. */
  perform(effect: Effect): void;
  judge(car: CarId, red: boolean): void;
  breakRun(car: CarId): void;
  drop(car: CarId): void;
  /** Others push to main. */
  moveMain(): void;
}

interface Scene {
  listener: TrainListener;
  train: Train;
  main: Oid;
  waiting: readonly WaitingBranch[];
  pending: readonly Effect[];
  landed: TaskId[];
  /** The main that each candidate rests on. */
  parents: Map<Oid, Oid>;
  green: Set<string>;
  commits: number;
}

const project = "shop";

export function driveTrain(slots: number, listener: TrainListener): TrainDriver {
  const scene: Scene = {
    listener,
    train: emptyTrain,
    main: "main",
    waiting: [],
    pending: [],
    landed: [],
    parents: new Map(),
    green: new Set(),
    commits: 0,
  };
  return {
    train: () => scene.train,
    waiting: () => scene.waiting,
    pending: () => scene.pending,
    arrive(branch) {
      scene.waiting = [...scene.waiting, branch];
    },
    plan() {
      const planned = planTrain(scene.train, scene.waiting, slots);
      for (const { kind, members, ahead } of planned) {
        record(scene, { type: "car-planned", project, car: String(scene.train.lastCar + 1), kind, members, ahead });
      }
      return planned;
    },
    perform: (effect) => perform(scene, effect),
    judge: (car, red) => judge(scene, car, red),
    breakRun: (car) => record(scene, { type: "run-broken", project, car, because: "no space" }),
    drop: (car) => record(scene, { type: "car-dropped", project, car, because: "it cannot be built" }),
    moveMain() {
      scene.main = `other${++scene.commits}`;
      const step = abandonCars(scene.train, project);
      if (step.outcome === "moved") follow(scene, step.state, step.effects);
    },
  };
}

function record(scene: Scene, event: CarEvent): void {
  const step = transitionTrain(scene.train, event, scene.main);
  if (step.outcome === "illegal") throw new Error(`${event.type} of car ${event.car}: ${step.because}`);
  if (step.outcome === "moved") follow(scene, step.state, step.effects);
}

function follow(scene: Scene, train: Train, effects: readonly Effect[]): void {
  scene.train = train;
  for (const effect of effects) {
    if (effect.do === "run-car" || effect.do === "cancel-run") perform(scene, effect);
    else scene.pending = [...scene.pending, effect];
  }
}

function perform(scene: Scene, effect: Effect): void {
  scene.pending = scene.pending.filter((other) => other !== effect);
  if (effect.do === "build-car" && effect.onto === scene.main) build(scene, effect.car);
  if (effect.do === "advance-main") advance(scene, effect.car, effect.commit);
  if (effect.do === "cancel-run") scene.listener.cancelled(effect.car);
  const car = scene.train.cars.find(({ id }) => effect.do === "run-car" && id === effect.car);
  if (car !== undefined) scene.listener.started(car.id, heldMembers(scene.train, car), [...scene.landed]);
}

function build(scene: Scene, id: CarId): void {
  const car = scene.train.cars.find((other) => other.id === id);
  if (car?.state.kind !== "building") return;
  const misfits = car.members.filter((task) => scene.listener.misfit?.(task));
  const members = car.members.filter((task) => !misfits.includes(task));
  if (members.length === 0) record(scene, { type: "car-dropped", project, car: id, because: "none of them fits on main" });
  else {
    const ahead = heldMembers(scene.train, { ...car, members: [] });
    const candidate: Candidate = { commit: `c${++scene.commits}`, merge: "", tree: treeOf(scene, [...ahead, ...members]) };
    scene.parents.set(candidate.commit, scene.main);
    record(scene, { type: "car-built", project, car: id, members, candidate });
  }
  for (const task of misfits) refuse(scene, task);
}

function judge(scene: Scene, id: CarId, red: boolean): void {
  const car = scene.train.cars.find((other) => other.id === id);
  if (car?.state.kind !== "running") return;
  const { candidate } = car.state;
  if (red) {
    const [convict] = convicts(scene.train, car) ? car.members : [];
    record(scene, { type: "car-failed", project, car: id, findings: [] });
    if (convict !== undefined) refuse(scene, convict);
    return;
  }
  scene.green.add(candidate.tree);
  record(scene, { type: "car-passed", project, car: id, candidate, run: id, gateHash: "g", verify: [] });
}

function advance(scene: Scene, id: CarId, commit: Oid): void {
  const car = scene.train.cars.find((other) => other.id === id);
  if (car?.state.kind !== "advancing" || car.state.candidate.commit !== commit) return;
  const { tree } = car.state.candidate;
  const held = heldMembers(scene.train, car);
  const from = scene.main;
  if (scene.parents.get(commit) !== from) throw new Error(`car ${id} lands on ${from}, and rests on ${scene.parents.get(commit)}`);
  if (tree !== treeOf(scene, held)) throw new Error(`car ${id} lands ${held}, and its tree is ${tree}`);
  if (!scene.green.has(tree)) throw new Error(`car ${id} lands a tree that was never green`);
  scene.main = commit;
  scene.landed.push(...held);
  scene.listener.landed(held);
  record(scene, { type: "car-landed", project, car: id, commit, from });
  for (const task of held) leave(scene, task, "landed");
}

function refuse(scene: Scene, task: TaskId): void {
  leave(scene, task, "refused");
  scene.listener.refused(task);
}

function leave(scene: Scene, task: TaskId, why: "landed" | "refused"): void {
  scene.train = leaveTrain(scene.train, task, why);
  scene.waiting = scene.waiting.filter((branch) => branch.task !== task);
}

function treeOf({ landed }: Scene, held: readonly TaskId[]): string {
  return [...landed, ...held].sort().join(" ");
}
