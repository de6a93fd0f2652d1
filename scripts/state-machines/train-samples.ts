import type { FactoryEvent } from "../../packages/core/src/event.ts";
import { type Car, type CarEvent, type CarState, emptyTrain, type Train } from "../../packages/core/src/train.ts";
import { candidate, finding, main, result, task, type Variant } from "./samples.ts";

/** All speak of car 2; car 1 is ahead of it or beside it. */
const project = "shop";
const other = "shop/S02-list";
const otherCandidate = { commit: "1".repeat(40), merge: "2".repeat(40), tree: "3".repeat(40) };

export const carStates: Record<CarState["kind"], readonly CarState[]> = {
  building: [
    { kind: "building", passed: null },
    { kind: "building", passed: candidate.tree },
  ],
  running: [{ kind: "running", candidate, builtOn: main, broken: 0 }],
  passed: [{ kind: "passed", candidate, builtOn: main }],
  red: [{ kind: "red", candidate }],
  advancing: [{ kind: "advancing", candidate }],
};

export function aCar(state: CarState, change: Partial<Car> = {}): Car {
  return { id: "2", kind: "car", members: [task], ahead: [], onto: main, state, ...change };
}

function firstCar(state: CarState): Car {
  return { id: "1", kind: "car", members: [other], ahead: [], onto: main, state };
}

export function aTrain(...cars: Car[]): Train {
  return { ...emptyTrain, lastCar: 2, cars };
}

const firstRuns: CarState = { kind: "running", candidate: otherCandidate, builtOn: main, broken: 0 };
const firstAdvances: CarState = { kind: "advancing", candidate: otherCandidate };

/** Where car 2 is when something happens to it. */
export const situations: readonly { label: string; train: (state: CarState) => Train }[] = [
  { label: "first", train: (state) => aTrain(aCar(state)) },
  { label: "behind a car", train: (state) => aTrain(firstCar(firstRuns), aCar(state, { ahead: ["1"] })) },
  { label: "another car advances", train: (state) => aTrain(firstCar(firstAdvances), aCar(state)) },
  { label: "a part beside a car", train: (state) => aTrain(firstCar(firstRuns), aCar(state, { kind: "part" })) },
];

type CarVariants = { [Type in CarEvent["type"]]: Variant<Extract<FactoryEvent, { type: Type }>> };

const of = { project, car: "2" };

const aboutCar: CarVariants = {
  "car-planned": { label: "car-planned", event: { type: "car-planned", ...of, kind: "car", members: [task], ahead: [] } },
  "car-built": { label: "car-built", event: { type: "car-built", ...of, members: [task], candidate } },
  "car-passed": { label: "car-passed", event: { type: "car-passed", ...of, candidate, run: "shop-2", gateHash: "0", verify: [result] } },
  "car-failed": { label: "car-failed", event: { type: "car-failed", ...of, findings: [finding] } },
  "run-broken": { label: "run-broken", event: { type: "run-broken", ...of, because: "out of memory" } },
  "car-dropped": { label: "car-dropped", event: { type: "car-dropped", ...of, because: "main moved" } },
  "car-landed": { label: "car-landed", event: { type: "car-landed", ...of, commit: candidate.commit, from: main } },
};

export const carVariants: readonly Variant<CarEvent>[] = Object.values(aboutCar);

/** What happens to car 1, as car 2 behind it meets it. */
export const aheadVariants: readonly (Variant<CarEvent> & { train: (state: CarState) => Train })[] = [
  {
    label: "car-landed, the one ahead",
    event: { type: "car-landed", project, car: "1", commit: otherCandidate.commit, from: main },
    train: (state) => aTrain(firstCar(firstAdvances), aCar(state, { ahead: ["1"] })),
  },
  {
    label: "car-passed, the one ahead",
    event: { type: "car-passed", project, car: "1", candidate: otherCandidate, run: "shop-1", gateHash: "0", verify: [result] },
    train: (state) => aTrain(firstCar(firstRuns), aCar(state, { ahead: ["1"] })),
  },
  {
    label: "car-failed, the one ahead",
    event: { type: "car-failed", project, car: "1", findings: [finding] },
    train: (state) => aTrain(firstCar(firstRuns), aCar(state, { ahead: ["1"] })),
  },
];

/** Before it is planned there is none. */
export const noCar: Train = aTrain();
