import type { PlanView } from "@dispatch/protocol";
import { describe, expect, it } from "vitest";
import { aView, noon } from "../testing/sample-views.ts";
import { colourPaint } from "./paint.ts";
import { planLines } from "./plan-lines.ts";
import { textWidth } from "./text-width.ts";

const plan: PlanView = {
  project: "shop",
  at: noon,
  slots: 2,
  unfed: 1,
  tasks: [
    { id: "shop/S01-schema", title: "", wave: 1, minutes: 10, from: 0, to: 10, node: "local" },
    { id: "shop/S02-docs", title: "", wave: 1, minutes: 5, from: 0, to: 5, node: "local" },
    { id: "shop/S03-预约", title: "", wave: 2, minutes: 10, from: 10, to: 20, node: "local" },
  ],
  waves: [
    { tasks: ["shop/S01-schema", "shop/S02-docs"], minutes: 15, from: 0, to: 10 },
    { tasks: ["shop/S03-预约"], minutes: 10, from: 10, to: 20 },
  ],
  minutes: 20,
  workMinutes: 25,
  critical: { tasks: ["shop/S01-schema", "shop/S03-预约"], minutes: 20 },
  width: {
    most: 2,
    over: [
      { at: 0, running: 2 },
      { at: 5, running: 1 },
      { at: 20, running: 0 },
    ],
  },
  bounds: { criticalPath: 20, workPerSlot: 12.5, lockChain: 20, lockEntry: "lib" },
  hotSpots: [{ entry: "lib", tasks: ["shop/S01-schema", "shop/S03-预约"], minutes: 20, addsMinutes: 5 }],
  never: [{ id: "shop/S04-x", because: "it waits for shop/S09, which is unknown", release: "feed the spec of shop/S09" }],
  assumes: ["every task passes at its first attempt in its estimated time"],
  problems: [{ file: "specs/pending/S05.md", line: 3, column: 1, id: "FM001", severity: "error", message: "no goal" }],
};

describe("planLines", () => {
  it("shows figures, waves with their tasks over time, hot spots, and what can never start", () => {
    expect(planLines(plan, aView(Number.POSITIVE_INFINITY))).toEqual([
      "specs/pending/S05.md:3:1 FM001 error no goal",
      "1 file left out of the plan because of errors",
      "",
      "shop  4 tasks, 1 not fed yet, 2 slots",
      "finish         20m after the start, 1.00 times the least possible; 12:20:00 if started now",
      "no sooner      critical path 20m · work over slots 13m · one lock 20m (lib)",
      "critical path  20m: S01-schema → S03-预约",
      "at once        2 at most, 1.3 on average; work 25m in 2 waves",
      "",
      "WAVE                          WORK  0                               10m                          20m",
      "1  2 tasks                     15m  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
      "   S01-schema                  10m  ████████████████████████████████",
      "   S02-docs                     5m  ████████████████",
      "2  1 task                      10m                                  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
      "   S03-预约                    10m                                  ████████████████████████████████",
      "at once                          2  ████████████████▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅▅",
      "",
      "HOT SPOT  TASKS  LOCKED FOR  COSTS",
      "lib           2         20m     5m",
      "",
      "1 task can never start as things are",
      "  S04-x: it waits for shop/S09, which is unknown",
      "    try: feed the spec of shop/S09",
      "",
      "taken for granted: every task passes at its first attempt in its estimated time",
    ]);
  });

  it("says what to do when there is nothing to plan", () => {
    const empty = { ...plan, tasks: [], waves: [], hotSpots: [], never: [], problems: [] };
    expect(planLines(empty, aView(80))).toEqual(["shop: nothing to plan", "  try: put specs into specs/pending"]);
  });

  it.each([60, 80, 100, 200])("draws 500 tasks in 250 waves within %i columns, painted too", (columns) => {
    const tasks = Array.from({ length: 500 }, (_, i) => {
      const wave = Math.floor(i / 2) + 1;
      return { id: `shop/S${i}-很长的名字很长的名字很长的名字`, title: "", wave, minutes: 7, from: (wave - 1) * 7, to: wave * 7, node: "local" };
    });
    const waves = Array.from({ length: 250 }, (_, i) => ({
      tasks: tasks.slice(i * 2, i * 2 + 2).map((task) => task.id),
      minutes: 14,
      from: i * 7,
      to: i * 7 + 7,
    }));
    const many: PlanView = {
      ...plan,
      tasks,
      waves,
      minutes: 1750,
      critical: { tasks: tasks.filter((_, i) => i % 2 === 0).map((task) => task.id), minutes: 1750 },
      width: {
        most: 2,
        over: [
          { at: 0, running: 2 },
          { at: 1750, running: 0 },
        ],
      },
      hotSpots: [{ entry: "很长的名字/".repeat(30), tasks: ["a", "b"], minutes: 14, addsMinutes: 0 }],
      problems: [],
      never: [],
      assumes: [],
    };
    const lines = planLines(many, aView(columns, { paint: colourPaint }));
    expect(lines.length).toBeLessThan(60);
    for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(Math.min(columns, 100));
  });
});
