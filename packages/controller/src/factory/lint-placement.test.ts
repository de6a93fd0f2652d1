import { parseSpec, type ReadableFile } from "@dispatch/spec";
import { describe, expect, it } from "vitest";
import { readConfig } from "../config/read-config.ts";
import { Factory, Nodes } from "../config/schema.ts";
import { createSettings } from "../config/settings.ts";
import { lintPlacement } from "./lint-placement.ts";

const nodes = {
  nodes: [
    { name: "small", slots: 2, cpus: 4, memory_mb: 8000, labels: ["linux"] },
    { name: "big", slots: 4, cpus: 32, memory_mb: 64000, gpus: 2, labels: ["linux", "cuda"], executors: ["glm"] },
  ],
};

function problems(
  fields: string,
  config = "version: 1\nprojects: {shop: {repo: ., executor: codex}}\nexecutors: {codex: {command: [c]}, glm: {command: [g]}}\n",
) {
  const factory = readConfig(Factory, "dispatch.yaml", config);
  const machines = readConfig(Nodes, "nodes.json", JSON.stringify(nodes));
  if (!("value" in factory) || !("value" in machines)) throw new Error(JSON.stringify([factory, machines]));
  const settings = createSettings({ dir: "/nowhere", factory: factory.value, nodes: machines.value }, { readFile: async () => undefined });
  const file = "specs/shop/S01-x.md";
  const parsed = parseSpec({ text: `---\ntask_id: S01-x\nproject: shop\ncreates: [a.ts]\n${fields}---\n\n## Goal\n\nWrite a.ts.\n`, file });
  if (parsed.outcome !== "parsed") throw new Error(JSON.stringify(parsed.problems));
  return lintPlacement(settings, [{ file, parsed } satisfies ReadableFile]).map(({ id, code, field, severity, line }) => ({
    id,
    code,
    field,
    severity,
    line,
  }));
}

const at = (code: string, field: string, line = 5) => ({ id: "FM001", code, field, severity: "error", line });

describe("a spec and the nodes of the factory", () => {
  it.each([
    ["asks for nothing", ""],
    ["fits the small one exactly", "resources: {cpu: 4, memory: 8000}\n"],
    ["fits the big one alone", "executor: glm\nresources: {cpu: 32, gpu: 2}\nnode_labels: [cuda]\n"],
    ["names the one that fits", "executor: glm\nnodes: [big]\n"],
  ])("is no problem when it %s", (_, fields) => {
    expect(problems(fields)).toEqual([]);
  });

  it.each([
    ["more cores than any node has", "executor: glm\nresources: {cpu: 64}\n", at("F37", "resources.cpu", 6)],
    ["memory that only a node without the executor has", "resources: {memory: 9000}\n", at("F37", "resources.memory")],
    ["a gpu on the node without", "nodes: [small]\nresources: {gpu: 1}\n", at("F37", "resources.gpu", 6)],
    ["a label that no node has", "node_labels: [windows]\n", at("F38", "node_labels")],
    ["labels that no single node has", "executor: glm\nnode_labels: [cuda, arm]\n", at("F38", "node_labels", 6)],
    ["an executor where its node does not allow it", "nodes: [big]\n", at("F14", "executor", 1)],
  ])("is refused with the nearest miss for %s", (_, fields, expected) => {
    expect(problems(fields)).toEqual([expected]);
  });

  it("is refused for a node that is not configured, at its place", () => {
    expect(problems("nodes: [small, bigger]\n")).toEqual([at("F38", "nodes[1]")]);
  });

  it("is refused when it leaves the executor to a project that has none", () => {
    const config = "version: 1\nprojects: {shop: {repo: .}}\nexecutors: {a: {command: [a]}, b: {command: [b]}}\n";
    expect(problems("", config)).toEqual([at("F14", "executor", 1)]);
  });
});
