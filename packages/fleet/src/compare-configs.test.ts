import { expect, test } from "vitest";
import { compareConfigs } from "./compare-configs.ts";
import { type NodeConfig, plainConfig, type SshNodeConfig } from "./node-config.ts";

const common = {
  slots: 2,
  lowPriority: false,
  labels: [],
  executors: null,
  capacity: { cpus: null, memoryMb: null, gpus: 0 },
  ...plainConfig,
};
const here: NodeConfig = { ...common, id: "here", home: "/home" };
const far: SshNodeConfig = { ...common, id: "far", ssh: { target: "far", transport: "auto", hostKey: null, workDir: "~/.dispatch" } };

function changes(after: readonly NodeConfig[], before: readonly NodeConfig[] = [here, far]) {
  const { added, adjusted, moved, removed } = compareConfigs(new Map(before.map((config) => [config.id, config])), after);
  return { added: added.map(({ id }) => id), adjusted: adjusted.map(({ id }) => id), moved: moved.map(({ id }) => id), removed };
}

const nothing = { added: [], adjusted: [], moved: [], removed: [] };

test("equal lists need nothing, in any order", () => {
  expect(changes([structuredClone(far), structuredClone(here)])).toEqual(nothing);
});

test("new and missing ones are named", () => {
  expect(changes([here, { ...far, id: "further" }])).toEqual({ ...nothing, added: ["further"], removed: ["far"] });
});

test.each<[string, Partial<NodeConfig>]>([
  ["slots", { slots: 3 }],
  ["labels", { labels: ["gpu"] }],
  ["limits", { limits: { ...plainConfig.limits, cpus: 1 } }],
  ["marks", { lowWater: { diskBytes: 1, memoryBytes: null } }],
  ["a deadline", { lostAfterMs: 1 }],
])("other %s do not touch the link", (_, change) => {
  expect(changes([here, { ...far, ...change } as NodeConfig])).toEqual({ ...nothing, adjusted: ["far"] });
  expect(changes([{ ...here, ...change } as NodeConfig, far])).toEqual({ ...nothing, adjusted: ["here"] });
});

test.each<[string, Partial<SshNodeConfig["ssh"]>]>([
  ["target", { target: "other" }],
  ["transport", { transport: "ssh2" }],
  ["host key", { hostKey: "SHA256:x" }],
  ["work dir", { workDir: "/srv" }],
  ["socket", { socket: "/run/far" }],
])("another %s needs another link", (_, change) => {
  expect(changes([here, { ...far, slots: 9, ssh: { ...far.ssh, ...change } }])).toEqual({ ...nothing, moved: ["far"] });
});

test("another folder here, and a node that became a machine behind SSH, need another link", () => {
  expect(changes([{ ...common, id: "here", home: "/other" }, far])).toEqual({ ...nothing, moved: ["here"] });
  expect(changes([{ ...far, id: "here" }, far])).toEqual({ ...nothing, moved: ["here"] });
});
