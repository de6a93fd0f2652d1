import { type CarEvent, convicts, type Effect, emptyTrain, heldMembers, leaveTrain, refuseMember, type Train, transitionTrain } from "@dispatch/core";
import { planTrain, type WaitingBranch } from "../../packages/scheduler/src/train/plan-train.ts";
import type { Lane, Run, Yard } from "./landing-sim-yard.ts";

const project = "shop";

/** The product's plan and transition of the landing train, in the simulation's yard. */
export function productLane(yard: Yard, slots: number): Lane {
  let train: Train = emptyTrain;
  let main = "main0";
  let commits = 0;
  let waiting: readonly WaitingBranch[] = [];
  const runs = new Map<string, { run: Run; commit: string }>();

  const record = (event: CarEvent): void => {
    const step = transitionTrain(train, event, main);
    if (step.outcome === "illegal") throw new Error(`${event.type} of car ${event.car}: ${step.because}`);
    if (step.outcome === "stale") return;
    train = step.state;
    for (const effect of step.effects) perform(effect);
  };
  const without = (task: string): void => {
    waiting = waiting.filter((branch) => branch.task !== task);
  };
  const refuse = (task: string): void => {
    const step = refuseMember(train, project, task);
    if (step.outcome !== "moved") return;
    train = step.state;
    without(task);
    yard.refuse(Number(task));
    for (const effect of step.effects) perform(effect);
  };
  const judged = (id: string, red: boolean): void => {
    runs.delete(id);
    const car = train.cars.find((other) => other.id === id);
    if (car === undefined || car.state.kind !== "running") return;
    const { candidate } = car.state;
    if (!red) {
      record({ type: "car-passed", project, car: id, candidate, run: id, gateHash: "g", verify: [] });
      return;
    }
    const [convict] = convicts(train, car) ? car.members : [];
    if (convict === undefined) record({ type: "car-failed", project, car: id, findings: [] });
    else refuse(convict);
  };
  const perform = (effect: Effect): void => {
    switch (effect.do) {
      case "build-car": {
        const car = train.cars.find(({ id }) => id === effect.car);
        if (car === undefined) return;
        const tree = [...heldMembers(train, car)].sort().join();
        record({ type: "car-built", project, car: car.id, members: car.members, candidate: { commit: `c${++commits}`, merge: "", tree } });
        return;
      }
      case "run-car": {
        const car = train.cars.find(({ id }) => id === effect.car);
        if (car === undefined) return;
        const run = yard.start(heldMembers(train, car).map(Number), (red) => judged(effect.car, red));
        runs.set(effect.car, { run, commit: effect.commit });
        return;
      }
      case "cancel-run": {
        const flying = runs.get(effect.car);
        if (flying === undefined) return;
        yard.cancel(flying.run);
        runs.delete(effect.car);
        return;
      }
      case "advance-main": {
        const car = train.cars.find(({ id }) => id === effect.car);
        if (car === undefined) return;
        const landed = heldMembers(train, car);
        yard.land(landed.map(Number));
        const from = main;
        main = effect.commit;
        record({ type: "car-landed", project, car: car.id, commit: effect.commit, from });
        for (const task of landed) {
          train = leaveTrain(train, task);
          without(task);
        }
        return;
      }
    }
  };
  return {
    arrive(branch) {
      waiting = [...waiting, { task: String(branch), group: undefined, alone: false }];
    },
    go() {
      for (const { kind, members, ahead } of planTrain(train, waiting, slots)) {
        record({ type: "car-planned", project, car: String(train.lastCar + 1), kind, members, ahead });
      }
    },
  };
}
