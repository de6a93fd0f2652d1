import { availableParallelism, totalmem } from "node:os";
import type { Resources } from "@dispatch/core";
import { unknownMachine } from "@dispatch/fleet";
import type { Nodes } from "./schema.ts";

type NodeEntry = Nodes["nodes"][number];

/** What a configured node has for tasks; what its entry does not say is all that the machine has. */
export interface NodeOffer {
  name: string;
  labels: readonly string[];
  /** null: all that are configured. */
  executors: readonly string[] | null;
  capacity: Resources;
}

/** A machine behind SSH that does not say in nodes.json what it has may have anything, until it is reached. */
export function nodeOffer(node: NodeEntry): NodeOffer {
  const { cpus, memoryMb, gpus } = configuredCapacity(node);
  return {
    name: node.name,
    labels: node.labels,
    executors: node.executors ?? null,
    capacity: { cpus: cpus ?? unknownMachine.cpus, memoryMb: memoryMb ?? unknownMachine.memoryMb, gpus },
  };
}

/** null: the machine says it itself when it is reached. */
export function configuredCapacity(node: NodeEntry): { cpus: number | null; memoryMb: number | null; gpus: number } {
  const here = node.ssh_target === undefined;
  return {
    cpus: node.cpus ?? (here ? availableParallelism() : null),
    memoryMb: node.memory_mb ?? (here ? Math.floor(totalmem() / 2 ** 20) : null),
    gpus: node.gpus,
  };
}
