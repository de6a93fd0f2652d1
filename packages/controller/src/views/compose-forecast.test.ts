import { emptyWorld, evolve, type FactoryEvent, type World, withChange } from "@dispatch/core";
import { expect, it } from "vitest";
import { anOid, aSpec, planned } from "../../../../test/kit/build-facts.ts";
import { forecastRows } from "./compose-forecast.ts";

function worldOf(...ids: readonly string[]): World {
  const facts: FactoryEvent[] = [
    { type: "project-started", project: "shop", main: anOid(1) },
    ...ids.flatMap((id): FactoryEvent[] => [
      planned(aSpec(id)),
      { type: "task-placed", task: `shop/${id}`, attempt: `shop--${id}--1`, n: 1, node: "a", base: anOid(1), executor: "x" },
    ]),
  ];
  return facts.reduce((world, fact) => {
    const step = evolve(world, fact, 0);
    if (step.outcome !== "moved") throw new Error(step.because);
    return withChange(world, step.change);
  }, emptyWorld());
}

it("says who will have to be redone on top of whom, and where", () => {
  const world = worldOf("S03", "S05");
  const meets = { kind: "attempt", attempt: "shop--S03--1" } as const;
  expect(
    forecastRows(world, [
      { attempt: "shop--S05--1", with: meets, paths: ["src/a.ts"], kind: "text" },
      { attempt: "shop--S05--1", with: { kind: "main" }, paths: ["a", "b", "c", "d"], kind: "same_path" },
      { attempt: "shop--S09--1", with: { kind: "main" }, paths: ["a"], kind: "text" },
    ]),
  ).toEqual([
    {
      task: "shop/S05",
      with: "shop/S03",
      paths: ["src/a.ts"],
      kind: "text",
      text: "S03 and S05 both change src/a.ts (conflict in text): S05 will have to be redone on top of S03",
    },
    {
      task: "shop/S05",
      with: null,
      paths: ["a", "b", "c", "d"],
      kind: "same_path",
      text: "S05 changes a, b, c and 1 more, which main changed since it began (the same file): S05 will have to be redone on main",
    },
  ]);
});
