import { errorCode } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { pickTask } from "./resolve-task.ts";
import { aRow } from "./testing/sample-views.ts";

const tasks = ["shop/S01-schema", "shop/S02-service", "shop/S10-docs", "docs/S02-intro", "docs/S1-start"].map((id) => aRow(id));

describe("pickTask", () => {
  it.each([
    ["shop/S01-schema", "shop/S01-schema"],
    ["S01-schema", "shop/S01-schema"],
    ["S01", "shop/S01-schema"],
    ["S1", "docs/S1-start"],
    ["docs/S02", "docs/S02-intro"],
    ["S10", "shop/S10-docs"],
  ])("%s is %s", (name, id) => {
    expect(pickTask(name, tasks).id).toBe(id);
  });

  it.each([
    ["S02", "USAGE"],
    ["S03", "NOT_FOUND"],
    ["S0", "NOT_FOUND"],
    ["docs/S10", "NOT_FOUND"],
    ["nowhere/S01", "NOT_FOUND"],
    ["", "NOT_FOUND"],
  ])("%j is refused with %s", (name, code) => {
    expect(codeOf(() => pickTask(name, tasks))).toBe(code);
  });

  it("prefers the whole spec id to a number", () => {
    const rows = [aRow("shop/S01"), aRow("shop/S01-schema")];
    expect(pickTask("S01", rows).id).toBe("shop/S01");
  });
});

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return errorCode(error);
  }
  return undefined;
}
