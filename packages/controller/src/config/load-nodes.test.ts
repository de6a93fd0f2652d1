import { describe, expect, it } from "vitest";
import { readNodes } from "./load-nodes.ts";
import { nodeConfigs } from "./node-configs.ts";

const far = { name: "far", slots: 2, ssh_target: "me@far" };
const here = { name: "here", slots: 2 };

function pathsOf(...nodes: object[]): string[] {
  const read = readNodes(JSON.stringify({ nodes }));
  return "problems" in read ? read.problems.map(({ path }) => path) : [];
}

function configsOf(...nodes: object[]) {
  const read = readNodes(JSON.stringify({ nodes }));
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  return nodeConfigs({ dir: "/factory", nodes: read.value });
}

describe("what nodes.json refuses", () => {
  it.each<[string, object, string]>([
    ["a mode that is no word", { ...far, mode: "Claude Code" }, "nodes.0.mode"],
    ["a socket that is no path", { ...far, socket: "control" }, "nodes.0.socket"],
    ["a socket with a token of ssh", { ...far, socket: "/run/%C" }, "nodes.0.socket"],
    ["a socket that its transport cannot use", { ...far, socket: "/run/far", transport: "ssh2" }, "nodes.0.socket"],
    ["a socket on this machine", { ...here, socket: "/run/far" }, "nodes.0.socket"],
    ["a limit of nothing", { ...far, limits: { memory_mb: 0 } }, "nodes.0.limits.memory_mb"],
    ["too few processes", { ...far, limits: { processes: 2 } }, "nodes.0.limits.processes"],
    ["a typo in a limit", { ...far, limits: { memory: 5 } }, "nodes.0.limits.memory"],
    ["a mark below zero", { ...far, low_water: { disk_mb: -1 } }, "nodes.0.low_water.disk_mb"],
    ["a quota of nothing", { ...far, quota_mb: 0 }, "nodes.0.quota_mb"],
    ["a project's quota above the node's", { ...far, quota_mb: 10, project_quota_mb: 11 }, "nodes.0.project_quota_mb"],
    ["a deadline of nothing", { ...far, lost_after_minutes: 0 }, "nodes.0.lost_after_minutes"],
    ["a deadline in words", { ...far, lost_after_minutes: "soon" }, "nodes.0.lost_after_minutes"],
    ["a deadline on this machine", { ...here, lost_after_minutes: 5 }, "nodes.0.lost_after_minutes"],
    ["gate slots below zero", { ...far, gate_slots: -1 }, "nodes.0.gate_slots"],
    ["half a gate slot", { ...here, gate_slots: 0.5 }, "nodes.0.gate_slots"],
    ["more gate slots than a node keeps worktrees", { ...far, gate_slots: 65 }, "nodes.0.gate_slots"],
    ["logs that are kept for less than no time", { ...far, keep_logs_days: -1 }, "nodes.0.keep_logs_days"],
  ])("%s", (_, node, path) => {
    expect(pathsOf(node)).toEqual([path]);
  });

  it("a name twice, and a folder that is another node's", () => {
    expect(pathsOf(here, here)).toEqual(["nodes.1.name"]);
    expect(pathsOf(far, { ...far, name: "b" })).toEqual(["nodes.1.work_dir"]);
    expect(pathsOf(far, { ...far, name: "b", work_dir: "~/.dispatch" })).toEqual(["nodes.1.work_dir"]);
    expect(pathsOf(far, { ...far, name: "b", work_dir: "~/other" })).toEqual([]);
    expect(pathsOf(here, { ...here, name: "b" })).toEqual([]);
  });

  it("every problem at once, with a hint", () => {
    const read = readNodes(JSON.stringify({ nodes: [{ ...here, host_key: `SHA256:${"a".repeat(43)}`, transport: "ssh2", socket: "/s" }] }));
    const problems = "problems" in read ? read.problems : [];
    expect(problems.map(({ path }) => path).sort()).toEqual(["nodes.0.host_key", "nodes.0.socket", "nodes.0.ssh_target"]);
    for (const { message, hint } of problems) expect([message, hint]).not.toContain("");
  });
});

describe("what the pool is told", () => {
  it("says nothing where nodes.json says nothing, but when a machine behind SSH is lost", () => {
    const nothing = {
      limits: { memoryMb: null, cpus: null, processes: null, outputMb: null },
      lowWater: { diskBytes: null, memoryBytes: null },
      quota: { bytes: null, projectBytes: null },
    };
    expect(configsOf(here, far)).toMatchObject([
      { ...nothing, id: "here", home: "/factory/.dispatch/node/here", lostAfterMs: null },
      { ...nothing, id: "far", lostAfterMs: 600_000, ssh: { target: "me@far", transport: "auto", hostKey: null, workDir: "~/.dispatch" } },
    ]);
  });

  it("holds every field in the units of the pool", () => {
    const [config] = configsOf({
      ...far,
      mode: "claude",
      socket: "~/.ssh/far.sock",
      limits: { memory_mb: 2048, cpus: 1.5, processes: 256, output_mb: 50 },
      low_water: { disk_mb: 0, memory_mb: 3 },
      quota_mb: 7,
      project_quota_mb: 5,
      lost_after_minutes: 0.5,
    });
    expect(config).toMatchObject({
      limits: { memoryMb: 2048, cpus: 1.5, processes: 256, outputMb: 50 },
      lowWater: { diskBytes: 0, memoryBytes: 3 * 2 ** 20 },
      quota: { bytes: 7 * 2 ** 20, projectBytes: 5 * 2 ** 20 },
      lostAfterMs: 30_000,
      ssh: { socket: "~/.ssh/far.sock" },
    });
    expect(configsOf({ ...far, lost_after_minutes: "never" })).toMatchObject([{ lostAfterMs: null }]);
    expect(configsOf(here, { ...far, gate_slots: 4 }, { ...far, name: "none", work_dir: "~/none", gate_slots: 0 })).toMatchObject([
      { gateSlots: 1 },
      { gateSlots: 4 },
      { gateSlots: 0 },
    ]);
  });
});
