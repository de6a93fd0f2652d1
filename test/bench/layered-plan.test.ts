import { expect, test } from "vitest";
import { layeredPlan } from "./layered-plan.ts";

test("each task waits for two of the layer before, the first layer for none, and every one but the last layer's is waited for", () => {
  const plan = layeredPlan(12, 4, "t");
  expect(plan.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, n) => `t${String(n).padStart(4, "0")}`));
  expect(plan.slice(0, 4).every(({ dependsOn }) => dependsOn.length === 0)).toBe(true);
  expect(plan[5]?.dependsOn).toEqual(["t0001", "t0002"]);
  expect(plan[11]?.dependsOn).toEqual(["t0007", "t0004"]);
  const waitedFor = new Set(plan.flatMap(({ dependsOn }) => dependsOn));
  expect([...waitedFor].sort()).toEqual(plan.slice(0, 8).map(({ id }) => id));
});

test("a last layer that is not full waits for tasks that are there", () => {
  const plan = layeredPlan(6, 4, "t");
  const names = new Set(plan.map(({ id }) => id));
  expect(plan.flatMap(({ dependsOn }) => dependsOn).every((id) => names.has(id))).toBe(true);
});
