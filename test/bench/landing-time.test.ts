import type { FactoryEvent, StoredEvent } from "@dispatch/core";
import { expect, test } from "vitest";
import { anOid } from "../kit/build-facts.ts";
import { landingTime } from "./landing-time.ts";

const candidate = { commit: anOid(1), merge: anOid(2), tree: anOid(3) };
const green = (durationMs: number): FactoryEvent => ({
  type: "car-passed",
  project: "shop",
  car: "1",
  candidate,
  run: "",
  gateHash: "",
  verify: [{ command: "", outcome: "exited", exitCode: 0, signal: null, durationMs, outputBytes: 0, outputTail: "" }],
});
const asked: FactoryEvent = { type: "collect-requested", project: "shop", by: "" };
const merged: FactoryEvent = { type: "task-merged", task: "shop/S01", commit: anOid(1), from: anOid(0) };

function log(...told: readonly (readonly [number, FactoryEvent])[]): StoredEvent[] {
  return told.map(([at, event], n) => ({ seq: n + 1, at, v: 4, event }));
}

test("runs beside each other count once, those that followed one another each, and those before the collect never", () => {
  const facts = log([900, green(500)], [1000, asked], [3500, green(2000)], [3600, green(2000)], [6000, green(2000)], [6500, merged]);
  expect(landingTime(facts)).toMatchObject({ seconds: 5.5, runSeconds: 4, runs: 3 });
});

test("a tree that was green already is no run", () => {
  const again = { ...green(0), verify: [] } as FactoryEvent;
  expect(landingTime(log([0, asked], [2000, green(2000)], [2100, again], [2200, merged]))).toMatchObject({ runSeconds: 2, runs: 1 });
});
