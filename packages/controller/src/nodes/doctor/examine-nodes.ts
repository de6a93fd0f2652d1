import { loadFactory } from "../../config/load-factory.ts";
import { findNode } from "../reach-node.ts";
import type { DoctorCheck } from "./finding.ts";
import { gatherFacts } from "./gather-facts.ts";
import { judgeNode } from "./judge-node.ts";

export interface NodeExamination {
  node: string;
  checks: readonly DoctorCheck[];
}

export interface ExamineOptions {
  /** How long one check may take. */
  limitMs: number;
  onStep(node: string, step: string): void;
  onDone(examination: NodeExamination): void;
}

const atOnce = 8;

/**
 * Checks everything a task needs on the named nodes, or on all; needs no daemon. What is wrong with a node is in its
 * checks; throws only for the factory itself, and NOT_FOUND for a name that is not configured.
 */
export async function examineNodes(dir: string, names: readonly string[], options: ExamineOptions): Promise<NodeExamination[]> {
  const config = await loadFactory(dir);
  const asked = names.length > 0 ? [...new Set(names)] : config.nodes.nodes.map((node) => node.name);
  const waiting = asked.map((name, at) => ({ at, node: findNode(config, name) }));
  const done: NodeExamination[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { at, node } = next;
      const { name } = node.entry;
      const { limitMs } = options;
      const facts = await gatherFacts(node, config.factory, { limitMs, onStep: (step) => options.onStep(name, step) });
      const examination = { node: name, checks: judgeNode(facts) };
      done[at] = examination;
      options.onDone(examination);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, waiting.length) }, work));
  return done;
}
