import { driveTrain } from "../../packages/scheduler/src/testing/drive-train.ts";
import type { Lane, Run, Yard } from "./landing-sim-yard.ts";

/** The product's plan and transitions of the landing train; building and landing take no time. */
export function productLane(yard: Yard, slots: number): Lane {
  const runs = new Map<string, Run>();
  const driver = driveTrain(slots, {
    started(car, held) {
      runs.set(
        car,
        yard.start(held.map(Number), (red) => driver.judge(car, red)),
      );
    },
    cancelled(car) {
      const run = runs.get(car);
      if (run !== undefined) yard.cancel(run);
    },
    landed: (tasks) => yard.land(tasks.map(Number)),
    refused: (task) => yard.refuse(Number(task)),
  });
  const settle = (): void => {
    for (let [effect] = driver.pending(); effect !== undefined; [effect] = driver.pending()) driver.perform(effect);
  };
  return {
    arrive: (branch) => driver.arrive({ task: String(branch), group: undefined, alone: false }),
    go() {
      settle();
      driver.plan();
      settle();
    },
  };
}
