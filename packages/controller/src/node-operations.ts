import { FactoryError } from "@dispatch/core";
import type { Engine } from "@dispatch/engine";
import { type AbandonView, factoryPaths, type NodesView, type NodeView, type TroubleRow } from "@dispatch/protocol";
import { composeNodes, type Describe } from "./views/compose-nodes.ts";
import type { NodesFile } from "./watch-nodes-file.ts";

export interface NodeParts {
  engine: Pick<Engine, "snapshot"> & { commands: Pick<Engine["commands"], "cordonNode" | "uncordonNode" | "abandonNode"> };
  describeNode: Describe;
  nodesFile: Pick<NodesFile, "problem" | "look">;
  now(): number;
}

/** What the daemon tells of its machines, and what may be decided about them. */
export function nodeOperations({ engine, describeNode, nodesFile, now }: NodeParts) {
  const all = () => composeNodes(engine.snapshot(), describeNode, now());
  return {
    /** As nodes.json is at this moment. */
    async nodes(): Promise<NodesView> {
      await nodesFile.look();
      return { ...all(), problem: fileTrouble(nodesFile, now()) };
    },
    node(id: string): NodeView {
      const { nodes } = all();
      const node = nodes.find((one) => one.id === id);
      if (node !== undefined) return node;
      const names = nodes.map((one) => one.id);
      throw new FactoryError("NOT_FOUND", `there is no node ${id}`, {
        fault: "user",
        hint: names.length === 0 ? "no node is configured; see nodes.json" : `the nodes are ${names.join(", ")}`,
        facts: { nodes: names },
      });
    },
    cordonNode: (id: string, drain: boolean, by: string): Promise<void> => engine.commands.cordonNode(id, by, drain),
    uncordonNode: (id: string, by: string): Promise<void> => engine.commands.uncordonNode(id, by),
    async abandonNode(id: string, by: string): Promise<AbandonView> {
      return { node: id, attempts: await engine.commands.abandonNode(id, by) };
    },
  };
}

/** What is wrong with nodes.json, which is read again every few seconds. */
export function fileTrouble(nodesFile: Pick<NodesFile, "problem">, now: number): TroubleRow | null {
  const problem = nodesFile.problem();
  if (problem === undefined) return null;
  const { code, message, hint } = problem;
  return { effect: factoryPaths.nodes, failures: 1, code, message, hint: hint ?? null, nextAt: now };
}
