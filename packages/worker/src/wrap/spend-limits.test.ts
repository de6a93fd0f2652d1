import { laterSpecFields } from "@dispatch/core";
import { expect, test } from "vitest";
import { aSpec } from "../../../../test/kit/build-facts.ts";
import { addSpent, deadlineOf, nothingSpent, type Spent, usedUp } from "./spend-limits.ts";

const used = (inputTokens: number, outputTokens: number, turns: number | null = null): Spent => ({ usage: { inputTokens, outputTokens }, turns });

test.each([
  [nothingSpent, nothingSpent, nothingSpent],
  [nothingSpent, used(1, 2, 3), used(1, 2, 3)],
  [used(1, 2), used(3, 4, 5), used(4, 6, 5)],
  [used(1, 2, 3), { usage: null, turns: 4 }, used(1, 2, 7)],
])("%j and %j are %j", (left, right, sum) => {
  expect(addSpent(left, right)).toEqual(sum);
  expect(addSpent(right, left)).toEqual(sum);
});

test.each([
  [{ timeoutMinutes: 2 }, nothingSpent, 119_999, 0],
  [{ timeoutMinutes: 2 }, nothingSpent, 120_000, 1],
  [{ budget: { ...laterSpecFields.budget, tokens: 10 } }, used(6, 4), 0, 0],
  [{ budget: { ...laterSpecFields.budget, tokens: 10 } }, used(6, 5), 0, 1],
  [{ budget: { ...laterSpecFields.budget, turns: 2 } }, used(6, 5), 0, 0],
  [{ timeoutMinutes: 1, budget: { tokens: 1, usd: null, turns: 1 } }, used(1, 1, 2), 60_000, 3],
])("of %j, with %j used at %i ms, %i limits are used up", (change, spent, now, count) => {
  const job = { spec: aSpec("S01-a", change) } as Parameters<typeof usedUp>[0];
  expect(usedUp(job, spent, now, deadlineOf(job, 0))).toHaveLength(count);
});
