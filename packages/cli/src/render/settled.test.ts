import { describe, expect, it } from "vitest";
import { aProject, aRow, aStanding, aStatus } from "../testing/sample-views.ts";
import { settledLines, settledOf } from "./settled.ts";

const merged = aRow("shop/S01-a", { state: "merged" });
const parked = aRow("shop/S02-b", { state: "parked", because: "parked: not accepted after 3 rounds" });
const waiting = aRow("shop/S03-c", { display: "waits", because: "it waits for shop/S02-b, which is parked" });
const queued = aRow("shop/S04-d", { state: "queued" });

describe("settledOf", () => {
  it.each([
    ["no tasks", [], {}, "nothing-to-do"],
    ["everything merged or cancelled", [merged, aRow("shop/S09-x", { state: "cancelled" })], {}, "all-merged"],
    ["a parked task and those that wait for it", [merged, parked, waiting], {}, "needs-lead"],
    ["a running task beside a parked one", [parked, aRow("shop/S05-e", { state: "running" })], {}, "going"],
    ["a ready task without a free slot", [aRow("shop/S05-e")], {}, "going"],
    ["a ready task of a paused project", [aRow("shop/S05-e")], { placing: { kind: "paused", by: "x" } }, "needs-lead"],
    ["a pause before the next attempt", [aRow("shop/S05-e", { state: "backoff" })], {}, "going"],
    ["a result that lands continuously", [queued], {}, "going"],
    ["a result that waits for a collect", [queued], { policy: "on-collect" }, "needs-lead"],
    ["a result before a frozen main", [queued], { landing: { kind: "frozen", because: "red" } }, "needs-lead"],
    ["a collect under way", [merged], { collect: { kind: "publishing", requestedAt: 1, tasks: [] } }, "going"],
    ["a running task of another project", [merged, aRow("docs/S01-a", { state: "running" })], {}, "all-merged"],
  ] as const)("%s", (_, tasks, change, kind) => {
    const project = aProject(change);
    expect(settledOf(aStatus(tasks), project).kind).toBe(kind);
  });
});

describe("settledOf, when the daemon says how the project stands", () => {
  it.each([
    ["moving", "going"],
    ["waiting-for-time", "going"],
    ["finishing", "going"],
    ["waiting-for-lead", "needs-lead"],
    ["gridlock", "needs-lead"],
  ] as const)("%s", (standing, kind) => {
    const status = aStatus([aRow("shop/S05-e", { display: "locked" })], { standings: [aStanding(standing)] });
    expect(settledOf(status, aProject()).kind).toBe(kind);
  });
});

describe("settledLines", () => {
  it("names what waits for the lead and what to do", () => {
    const project = aProject({ policy: "on-collect" });
    const { lines, parked: isParked } = settledLines(settledOf(aStatus([merged, parked, waiting, queued]), project), project);
    expect(isParked).toBe(true);
    expect(lines).toEqual([
      "shop: nothing goes on without you",
      "  shop/S02-b is parked: not accepted after 3 rounds",
      "    try: dispatch show shop/S02-b, then dispatch retry or dispatch cancel",
      "  shop/S04-d waits for dispatch collect",
      "    try: dispatch collect shop",
      "  shop/S03-c waits: it waits for shop/S02-b, which is parked",
    ]);
  });

  it("a result that waits for a collect is no failure", () => {
    const project = aProject({ policy: "on-collect" });
    expect(settledLines(settledOf(aStatus([queued]), project), project).parked).toBe(false);
  });
});
