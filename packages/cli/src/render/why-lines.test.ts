import type { WhyView } from "@dispatch/protocol";
import { describe, expect, it } from "vitest";
import { aCause, aStanding, aView, noon } from "../testing/sample-views.ts";
import { whyAllLines, whyLines } from "./why-lines.ts";

const root = aCause("shop/S01-a", { tasks: ["shop/S01-a", "shop/S02-b", "shop/S03-c"] });
const why: WhyView = {
  task: "shop/S03-c",
  state: "planned",
  because: "it waits for shop/S02-b, which is planned",
  release: "shop/S02-b is merged",
  explanation: {},
  chain: [
    { task: "shop/S03-c", because: "it waits for shop/S02-b, which is planned" },
    { task: "shop/S02-b", because: "it waits for shop/S01-a, which is parked" },
    { task: "shop/S01-a", because: root.because },
  ],
  root,
  expectedStart: null,
  troubles: [],
  forecast: [],
};

describe("whyLines", () => {
  it("follows the chain down to what would move it", () => {
    expect(whyLines(why, aView(100))).toEqual([
      "shop/S03-c is planned",
      "  because  it waits for shop/S02-b, which is planned",
      "           and S02-b: it waits for shop/S01-a, which is parked",
      "           and S01-a: parked since 11:00Z: not accepted after 3 rounds",
      "  moves    dispatch retry shop/S01-a, or dispatch cancel shop/S01-a",
      "  2 other tasks wait for the same: dispatch why --all",
    ]);
  });

  it("says which conflict is coming", () => {
    const row = { task: "shop/S03-c", with: null, paths: ["a.ts"], kind: "text", text: "S03-c changes a.ts, which main changed" } as const;
    expect(whyLines({ ...why, forecast: [row] }, aView(100)).at(-1)).toBe("  coming   S03-c changes a.ts, which main changed");
  });

  it("says what comes first where nobody has to do anything", () => {
    const busy = aCause("shop/S01-a", { kind: "at-work", needs: "factory", release: "the agent ends", tasks: ["shop/S01-a", "shop/S03-c"] });
    expect(whyLines({ ...why, root: busy }, aView(100)).at(-2)).toBe("  moves    shop/S02-b is merged; first: the agent ends");
  });

  it("tells what goes wrong with it", () => {
    const trouble = { effect: "start-attempt:shop--S01-a--1", failures: 1, code: "GIT_FAILED", message: "no space", hint: null, nextAt: noon - 1 };
    const own = aCause("shop/S01-a", { kind: "at-work", needs: "factory" });
    const starting = { ...why, task: "shop/S01-a", state: "starting", because: "it is being started", release: "its session reports" };
    expect(
      whyLines({ ...starting, chain: [{ task: "shop/S01-a", because: "it is being started" }], root: own, troubles: [trouble] }, aView(120)),
    ).toEqual([
      "shop/S01-a is starting",
      "  because  it is being started",
      "  moves    its session reports",
      "  ! start-attempt:shop--S01-a--1: no space (GIT_FAILED, failed 1 time, trying again)",
    ]);
  });

  it("says when a start is expected", () => {
    const own = { ...why, chain: why.chain.slice(0, 1), root: { ...root, tasks: ["shop/S03-c"] }, expectedStart: noon + 720_000 };
    expect(whyLines(own, aView(100))).toEqual([
      "shop/S03-c is planned",
      "  because  it waits for shop/S02-b, which is planned",
      "  moves    shop/S02-b is merged",
      "  expected 12:12:00, in about 12m00s, if all goes well",
    ]);
  });
});

describe("whyAllLines", () => {
  it("has one entry per cause, with how many wait for it and who they are", () => {
    const many = Array.from({ length: 9 }, (_, i) => `shop/S1${i}-x`);
    const lines = whyAllLines(
      {
        at: noon,
        unfinished: 12,
        causes: [
          aCause("shop/S10-x", { kind: "slot", because: "all 4 slots are taken", release: "a session ends", needs: "factory", tasks: many }),
          root,
        ],
        standings: [aStanding("waiting-for-lead", { unfinished: 12 })],
      },
      aView(100),
    );
    expect(lines).toEqual([
      "! shop: nothing moves without you; 12 tasks left",
      "12 tasks left, 2 causes",
      "",
      "9 tasks  all 4 slots are taken",
      "  moves: a session ends",
      "  with: S11-x, S12-x, S13-x, S14-x, S15-x, S16-x and 2 more",
      "",
      "3 tasks  shop/S01-a: parked since 11:00Z: not accepted after 3 rounds",
      "  try:   dispatch retry shop/S01-a, or dispatch cancel shop/S01-a",
      "  with: S02-b, S03-c",
    ]);
  });

  it("says so when nothing is left", () => {
    expect(whyAllLines({ at: noon, unfinished: 0, causes: [], standings: [] }, aView(100))).toEqual(["nothing is left to do"]);
  });
});
