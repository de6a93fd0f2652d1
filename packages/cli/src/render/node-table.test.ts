import { describe, expect, it } from "vitest";
import { aNode, aPulse, aView, noon } from "../testing/sample-views.ts";
import { drainText } from "./drain-text.ts";
import { nodeLines } from "./node-lines.ts";
import { nodeFrame, nodeTable } from "./node-table.ts";
import { colourPaint } from "./paint.ts";
import { textWidth } from "./text-width.ts";

const lead = { by: "the lead", since: noon - 600_000 };
const down = { kind: "down", since: noon - 90_000, because: "no route\nto host" } as const;
const lost = { kind: "lost", since: noon - 60_000, because: "out of reach for 10 min: no route to host" } as const;
const fenced = { task: "shop/S03-api", attempt: "shop--S03-api--1", since: noon - 60_000, because: "its node is lost" };
const idle = { used: 0, sessions: [] };

const nodes = [
  aNode("local", { link: { transport: "local", target: null, hostKey: null, workDir: ".dispatch/nodes/local", home: null, nodeVersion: null } }),
  aNode("gpu-1", { closed: { kind: "cordoned", because: "cordoned by the lead" }, resting: { drain: false, ...lead } }),
  aNode("gpu-2", { closed: { kind: "draining", because: "drained by the lead" }, resting: { drain: true, ...lead }, ...idle }),
  aNode("gpu-3", { closed: { kind: "pressure", because: "1 GiB of disk free, less than 2 GiB" }, ...idle }),
  aNode("gpu-4", { state: down, ...idle }),
  aNode("gpu-5", {
    state: lost,
    closed: { kind: "lost", because: lost.because },
    used: 1,
    sessions: [],
    fenced: [fenced],
    pulse: null,
    heardAt: null,
  }),
  aNode("gpu-6", { state: { ...down, kind: "connecting" }, ...idle, sessions: [] }),
];

describe("the table of nodes", () => {
  it("tells of each whether it takes tasks, why not, and what it does", () => {
    const lines = nodeTable({ at: noon, nodes, problem: null }, aView(Number.POSITIVE_INFINITY));
    expect(lines.map((line) => line.replaceAll(/ {2,}/g, "  "))).toEqual([
      "NODE  STATE  SLOTS  LOAD  MEMORY  DISK  HEARD  VIA  NOW",
      "local  up  2/4  2.0/8  3.1 GiB  80 GiB  2s  local  S01-schema S02-cart",
      "gpu-1  up, cordoned  2/4  2.0/8  3.1 GiB  80 GiB  2s  ssh2 deploy@gpu-1  cordoned by the lead 10m00s ago · S01-schema S02-cart",
      "gpu-2  up, drained  0/4  2.0/8  3.1 GiB  80 GiB  2s  ssh2 deploy@gpu-2  drained by the lead 10m00s ago",
      "gpu-3  up, short of room  0/4  2.0/8  3.1 GiB  80 GiB  2s  ssh2 deploy@gpu-3  1 GiB of disk free, less than 2 GiB",
      "gpu-4  down  0/4  2s  ssh2 deploy@gpu-4  no route to host (1m30s)",
      "gpu-5  lost  1/4  ssh2 deploy@gpu-5  out of reach for 10 min: no route to host (1m00s); 1 fenced attempt to fetch",
      "gpu-6  connecting  0/4  2s  ssh2 deploy@gpu-6  no route to host (1m30s)",
      "",
      "7 nodes · 2 of 4 slots in use · 24 slots more on nodes that take no new tasks",
    ]);
  });

  it.each([
    [20, 3],
    [40, 6],
    [80, 12],
    [200, 60],
  ])("fits %i columns and %i lines, painted too, and counts what it leaves out", (columns, height) => {
    const many = Array.from({ length: 30 }, (_, i) => ({ ...(nodes[i % nodes.length] ?? aNode("x")), id: `机器-${i}` }));
    const lines = nodeFrame({ at: noon, nodes: many, problem: null }, "note", aView(columns, { paint: colourPaint }), height);
    expect(lines.length).toBeLessThanOrEqual(height);
    const [shown = "0", more = "0"] = [String(lines.filter((line) => line.includes("机器")).length), lines.join("\n").match(/and (\d+) more/)?.[1]];
    if (height > 4) expect(Number(shown) + Number(more)).toBe(30);
    for (const line of lines.slice(0, -2)) expect(textWidth(line)).toBeLessThanOrEqual(columns);
  });

  it("says first that nodes.json is wrong, and still counts what it leaves out", () => {
    const many = Array.from({ length: 30 }, (_, i) => aNode(`node-${i}`));
    const problem = { effect: "nodes.json", failures: 1, code: "CONFIG_INVALID", message: "wrong", hint: "mend it", nextAt: noon };
    const lines = nodeFrame({ at: noon, nodes: many, problem }, "note", aView(80), 10);
    expect([lines.length, lines[0]?.includes("nodes.json")]).toEqual([10, true]);
    const left = Number(lines.join("\n").match(/and (\d+) more/)?.[1]);
    expect(lines.filter((line) => line.includes("node-")).length + left).toBe(30);
  });

  it("says what to do where there is none", () => {
    expect(nodeTable({ at: noon, nodes: [], problem: null }, aView(80))[0]).toBe("no node is configured");
  });
});

describe("one node", () => {
  it("with all that is known of it", () => {
    const gpu = { name: "A100", totalMemoryMb: 40_960, freeMemoryMb: 20_480, busyPercent: 10 };
    const agents = [
      { name: "claude", version: "2.1.0", login: "yes" as const },
      { name: "codex", version: null, login: "no" as const },
      { name: "kimi", version: "1", login: "unknown" as const },
    ];
    const node = aNode("gpu-1", {
      labels: ["gpu"],
      executors: ["claude"],
      lostAfterMs: 600_000,
      limits: { memoryMb: 2048, cpus: 2, processes: null, outputMb: 64 },
      closed: { kind: "draining", because: "drained by the lead" },
      resting: { drain: true, ...lead },
      fenced: [fenced],
      unfetched: ["shop--S09-z--1"],
      pulse: aPulse({ gpus: [gpu], agents, trouble: "read-only file system" }),
    });
    expect(nodeLines(node, aView(120))).toEqual([
      "gpu-1  up, draining: drained by the lead 10m00s ago; 1 fenced attempt to fetch",
      "  reached     ssh2 deploy@gpu-1, heard 2s ago",
      "  folder      ~/.dispatch (/home/deploy/.dispatch)",
      "  Node.js     v20.20.2",
      "  host key    SHA256:abc",
      "  lost after  10m00s out of reach, while another node is up",
      "  slots       2 of 4 in use",
      "  labels      gpu",
      "  executors   claude",
      "  tasks get   8 cores, 16 GiB together",
      "  an attempt  2 GiB, 2 cores, 64 MiB of output a round at most",
      "  load        2.00 on 8 cores",
      "  memory      3.1 of 16 GiB free",
      "  disk        80 of 200 GiB free, 1.2M inodes",
      "  GPU         A100: 10% busy, 20 of 40 GiB free",
      "  agents      claude 2.1.0 (logged in), codex (not logged in), kimi 1",
      "  limits by   cgroup",
      "  trouble     read-only file system",
      "  takes       1 GiB of its disk, measured 1m00s ago: shop 800 MiB, blog 100 MiB",
      "",
      "TASK             ATTEMPT              ROUND    FOR  STATE",
      "shop/S01-schema  shop--S01-schema--1      2  1m15s  running",
      "shop/S02-cart    shop--S02-cart--1              5s  starting",
      "",
      "fenced: their tasks went on without them; they are stopped and fetched now",
      "  shop--S03-api--1  1m00s ago: its node is lost",
      "",
      "ended, not fetched and removed yet: shop--S09-z--1",
      "",
      "  try: dispatch node uncordon gpu-1",
    ]);
  });

  it("tells what it is drained of, and that it is", () => {
    const view = aView(80);
    expect(drainText(aNode("a", { unfetched: ["x"] }), view)).toBe(
      "a is draining: 2 sessions still run (S01-schema S02-cart), 1 worktree to fetch and remove",
    );
    expect(drainText(aNode("a", { ...idle, fenced: [fenced], state: lost }), view)).toMatch(/1 fenced attempt to fetch; it is lost/);
    expect(drainText(aNode("a", idle), view)).toMatch(/^a is drained/);
  });
});
