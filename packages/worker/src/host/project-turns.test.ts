import { expect, test } from "vitest";
import { createProjectTurns } from "./project-turns.ts";

test("house-keeping gives up for work, and work begins when it has", async () => {
  const turns = createProjectTurns();
  const order: string[] = [];
  let begun = (): void => {};
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const kept = turns.keepHouse("demo", async (giveUp) => {
    begun();
    await new Promise<void>((resolve) => giveUp.addEventListener("abort", () => resolve()));
    order.push("gave up");
    return "kept";
  });
  await hasBegun;
  expect(await turns.work("other", async () => "other")).toBe("other");
  expect(order).toEqual([]);
  await turns.work("demo", async () => {
    order.push("work");
  });
  expect(order).toEqual(["gave up", "work"]);
  expect(await kept).toBe("kept");
});

test("house-keeping does not begin beside work, nor beside itself", async () => {
  const turns = createProjectTurns();
  await turns.work("demo", async () => {
    expect(await turns.keepHouse("demo", async () => "kept")).toBeUndefined();
    expect(await turns.keepHouse("other", async () => "kept")).toBe("kept");
  });
  await turns.keepHouse("demo", async () => {
    expect(await turns.keepHouse("demo", async () => "kept")).toBeUndefined();
  });
  const failed = turns.keepHouse("demo", async () => {
    throw new Error("refused");
  });
  await expect(failed).rejects.toThrow();
  expect(await turns.keepHouse("demo", async () => "kept")).toBe("kept");
});
