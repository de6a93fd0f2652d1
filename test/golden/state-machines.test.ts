import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { renderStateMachines } from "../../scripts/state-machines/render.ts";

test("docs/state-machines.md is what the code of core does", () => {
  const document = readFileSync(new URL("../../docs/state-machines.md", import.meta.url), "utf8");
  expect(document).toBe(renderStateMachines());
});

test("every state of the task machine has a way out, or is an end", () => {
  const sections = renderStateMachines().split("## Attempt")[0]?.split("\n### ").slice(1) ?? [];
  const dead = sections.filter((section) => !/\| (?!stays|becomes|-)[a-z][^|]* \|[^|]*\|$/m.test(section)).map((section) => section.split("\n")[0]);
  expect(dead).toEqual(["merged"]);
});
