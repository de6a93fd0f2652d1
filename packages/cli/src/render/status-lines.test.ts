import { plainNode } from "@dispatch/core";
import type { ProjectRow } from "@dispatch/protocol";
import { describe, expect, it } from "vitest";
import { aCause, aProject, aRow, aStanding, aStatus, aView, noon, someSignals } from "../testing/sample-views.ts";
import { followFrame } from "./follow-frame.ts";
import { colourPaint } from "./paint.ts";
import { statusLines } from "./status-lines.ts";
import { textWidth } from "./text-width.ts";

const tasks = [
  aRow("shop/S01-schema", {
    state: "merged",
    attempt: 1,
    round: 2,
    because: "merged as 1a2b3c4d5e6f",
    tokens: { inputTokens: 12_000, outputTokens: 900 },
  }),
  aRow("shop/S02-service", {
    state: "running",
    attempt: 2,
    round: 1,
    node: "local",
    since: noon - 75_000,
    because: "round 1 of shop--S02-service--2 runs on node local",
  }),
  aRow("shop/S03-router", { display: "waits", because: "it waits for shop/S02-service, which is running" }),
  aRow("shop/S04-预约", { state: "parked", attempt: 1, round: 3, since: noon - 3_600_000, because: "parked: not accepted after 3 rounds" }),
  aRow("shop/S05-docs"),
];
const sessions = [
  {
    attempt: "shop--S02-service--2",
    task: "shop/S02-service",
    node: "local",
    round: 1,
    since: noon - 75_000,
    state: "running" as const,
    tokens: null,
  },
];

describe("statusLines", () => {
  it("shows projects, progress, tasks in the order of interest, and slots", () => {
    expect(statusLines(aStatus(tasks, { eta: noon + 600_000 }), aView(110))).toEqual([
      "shop  running · lands continuously · main 1a2b3c4d5",
      "━━━━━──────────────────────  1/5 merged · 1 running · 1 parked · 1 ready · 1 waits",
      "",
      "TASK         STATE    TRY  ROUND    FOR  BECAUSE",
      "S02-service  running    2      1  1m15s  round 1 of shop--S02-service--2 runs on node local",
      "S04-预约     parked     1      3  1h00m  not accepted after 3 rounds",
      "S05-docs     ready                   5s  it is ready and a slot is free",
      "S03-router   waits                   5s  it waits for shop/S02-service, which is running",
      "S01-schema   merged     1      2         merged as 1a2b3c4d5e6f",
      "",
      "slots  local 2/4 · tokens 12.0k in, 900 out · done in about 10m00s",
      "load   no backlog · slots used 100% (60 min)",
    ]);
  });

  it("shows what is on its way to main, in order, as far as there is room", () => {
    const train: ProjectRow["train"] = [
      { id: "3", kind: "car", state: "advancing", members: ["shop/S01-schema"], ahead: [] },
      { id: "4", kind: "car", state: "running", members: ["shop/S02-service", "shop/S05-docs"], ahead: ["3"] },
      { id: "5", kind: "part", state: "building", members: ["shop/S06-more"], ahead: [] },
    ];
    const status = aStatus([], { projects: [aProject({ train })] });
    expect(statusLines(status, aView(160))[2]).toBe(
      "train  car 3 lands: S01-schema · car 4 behind 3 is tested: S02-service, S05-docs · part 5 is built: S06-more",
    );
    const [, , narrow = ""] = statusLines(status, aView(60));
    expect(textWidth(narrow)).toBeLessThanOrEqual(60);
  });

  it("says what holds a project up", () => {
    const lines = statusLines(
      aStatus([], {
        draining: true,
        projects: [
          aProject({ placing: { kind: "paused", by: "the lead" }, landing: { kind: "frozen", because: "main is red" }, policy: "on-collect" }),
        ],
        nodes: [
          {
            id: "gpu",
            slots: 2,
            lowPriority: false,
            labels: [],
            executors: null,
            capacity: { cpus: 8, memoryMb: 16_384, gpus: 0 },
            load: 0.5,
            ...plainNode,
            status: { kind: "down", because: "no route\nto host", since: 0 },
            used: 0,
            fenced: 0,
          },
        ],
        troubles: [
          {
            effect: "publish-main:shop",
            failures: 2,
            code: "ORIGIN_UNREACHABLE",
            message: "no answer",
            hint: "look at the network",
            nextAt: noon + 4000,
          },
        ],
      }),
      aView(200),
    );
    expect(lines).toEqual([
      "draining: nothing new starts, and the daemon ends when all sessions have ended",
      "",
      "shop  paused by the lead · lands on collect · main 1a2b3c4d5 · landing frozen: main is red",
      "──────────────────────────────  0/0 merged",
      "",
      "slots  gpu 0/2 down: no route to host",
      "load   no backlog · slots used 100% (60 min)",
      "! publish-main:shop: no answer (ORIGIN_UNREACHABLE, failed 2 times, again in 4s)",
      "  try: look at the network",
    ]);
  });

  it("says which nodes take no tasks, why, and what they still hold", () => {
    const [open] = aStatus([]).nodes;
    if (open === undefined) throw new Error("no node");
    const down = { kind: "down", because: "no link", since: 0 } as const;
    const lines = statusLines(
      aStatus([], {
        nodes: [
          { ...open, id: "a", closed: { kind: "cordoned", because: "cordoned by x" }, status: down },
          { ...open, id: "b", closed: { kind: "draining", because: "drained by x" } },
          { ...open, id: "c", closed: { kind: "lost", because: "out of reach for 10 min" }, status: down, fenced: 2 },
          { ...open, id: "d", closed: { kind: "pressure", because: "1 GiB of disk free" }, used: 0 },
        ],
      }),
      aView(300),
    );
    expect(lines.find((line) => line.startsWith("slots"))).toBe(
      "slots  a 2/4 cordoned by x down: no link  b 2/4 draining, drained by x  c 2/4 (2 fenced) lost: out of reach for 10 min  d 0/4 short of room: 1 GiB of disk free",
    );
  });

  it("says what to do in a new factory", () => {
    expect(statusLines(aStatus([], { projects: [] }), aView(80))).toEqual([
      "no project was started yet",
      "  try: dispatch project add, then dispatch start PROJECT",
      "",
      "slots  local 2/4",
      "load   no backlog · slots used 100% (60 min)",
    ]);
  });

  it("says which conflicts are coming, a few of them, and how many more there may be", () => {
    const row = (n: number) =>
      ({ task: `shop/S${n}`, with: "shop/S01", paths: ["a.ts"], kind: "text", text: `S01 and S${n} both change a.ts` }) as const;
    const forecast = { conflicts: Array.from({ length: 10 }, (_, i) => row(10 + i)), uncompared: 3 };
    const lines = statusLines(aStatus([], { forecast }), aView(120)).filter((line) => line.startsWith("coming:") || line.includes("more pairs"));
    expect(lines[0]).toBe("coming: S01 and S10 both change a.ts");
    expect(lines).toHaveLength(9);
    expect(lines.at(-1)).toBe("  and 5 more pairs of tasks with paths in common");
  });

  it("says above everything else what has come to a standstill, and below what the figures advise", () => {
    const cause = aCause("shop/S03-router", { tasks: ["shop/S03-router", "shop/S07-ui"] });
    const cycle = aCause("shop/S08-a", { kind: "cycle", needs: "nobody", because: "they wait for each other", release: "drop a depends_on" });
    const lines = statusLines(
      aStatus([], {
        standings: [
          aStanding("waiting-for-lead", { causes: [cause] }),
          aStanding("gridlock", { project: "docs", causes: [cycle], cycles: [["docs/S08-a", "docs/S09-b"]] }),
          aStanding("finishing", { project: "blog", underWay: 2 }),
          aStanding("waiting-for-time", { project: "news", until: noon + 4000 }),
          aStanding("moving"),
        ],
        signals: someSignals(
          { advice: "mend-specs", text: "do not add nodes, improve the specs" },
          { pending: 12, startable: 7, running: 4, firstRounds: 10, firstRoundsFailed: 4, landings: 9, conflicts: 1, utilisation: 0.956 },
        ),
      }),
      aView(200),
    );
    expect(lines.slice(0, 10)).toEqual([
      "! shop: nothing moves without you; 3 tasks left",
      "    2 tasks: shop/S03-router: parked since 11:00Z: not accepted after 3 rounds",
      "      try: dispatch retry shop/S03-router, or dispatch cancel shop/S03-router",
      "! docs: GRIDLOCK, nothing can move; 3 tasks left",
      "    circle: S08-a waits for S09-b waits for S08-a",
      "    S08-a: they wait for each other",
      "      try: drop a depends_on",
      "blog: 2 under way; after that nothing goes on without you",
      "news: nothing moves for 4s; then the next attempt starts",
      "",
    ]);
    expect(lines.slice(-2)).toEqual([
      "load   backlog 12 (7 lack only room), 4 running · first rounds red 4/10 (40%) · conflicts 1/9 · slots used 96% (60 min)",
      "  advice: do not add nodes, improve the specs",
    ]);
  });
});

describe("followFrame", () => {
  it("shows slots and tasks on a wide screen", () => {
    expect(followFrame(aStatus(tasks, { sessions }), aProject(), "Ctrl-C stops following", aView(70), 30)).toEqual([
      "shop  running · lands continuously · main 1a2b3c4d5",
      "━━━──────────────  1/5 merged · 1 running · 1 parked · 1 ready · 1 wa…",
      "slots  local 2/4 · tokens 12.0k in, 900 out",
      "",
      "SLOT   TASK         ROUND    FOR  STATE    TOKENS",
      "local  S02-service      1  1m15s  running",
      "",
      "TASK         STATE    TRY  ROUND    FOR  BECAUSE",
      "S02-service  running    2      1  1m15s  round 1 of shop--S02-service…",
      "S04-预约     parked     1      3  1h00m  not accepted after 3 rounds",
      "S05-docs     ready                   5s  it is ready and a slot is fr…",
      "S03-router   waits                   5s  it waits for shop/S02-servic…",
      "S01-schema   merged     1      2         merged as 1a2b3c4d5e6f",
      "",
      "Ctrl-C stops following",
    ]);
  });

  it("counts the tasks that have no room, and leaves the slots out first", () => {
    expect(followFrame(aStatus(tasks, { sessions }), aProject(), "note", aView(60), 10)).toEqual([
      "shop  running · lands continuously · main 1a2b3c4d5",
      "━━━────────────  1/5 merged · 1 running · 1 parked · 1 read…",
      "slots  local 2/4 · tokens 12.0k in, 900 out",
      "",
      "TASK         STATE    TRY  ROUND    FOR  BECAUSE",
      "S02-service  running    2      1  1m15s  round 1 of shop--S…",
      "S04-预约     parked     1      3  1h00m  not accepted after…",
      "… and 3 more tasks: 1 ready, 1 waits, 1 merged",
      "",
      "note",
    ]);
  });

  it.each([
    [20, 3],
    [40, 8],
    [80, 24],
    [200, 60],
  ])("fits %i columns and %i lines, painted too", (columns, height) => {
    const many = Array.from({ length: 50 }, (_, i) =>
      aRow(`shop/S${10 + i}-很长的名字`, { state: i % 2 === 0 ? "running" : "parked", because: "原因".repeat(40) }),
    );
    const lines = followFrame(aStatus(many, { sessions }), aProject(), "note", aView(columns, { paint: colourPaint }), height);
    expect(lines.length).toBeLessThanOrEqual(height);
    for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(columns);
  });
});
