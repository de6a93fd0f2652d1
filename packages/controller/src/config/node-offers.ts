import { availableParallelism, totalmem } from "node:os";
import type { Resources } from "@dispatch/core";
import type { Nodes } from "./schema.ts";

/** What a configured node has for tasks; what its entry does not say is all that the machine has. */
export interface NodeOffer {
  name: string;
  labels: readonly string[];
  /** null: all that are configured. */
  executors: readonly string[] | null;
  capacity: Resources;
}

export function nodeOffer(node: Nodes["nodes"][number]): NodeOffer {
  return {
    name: node.name,
    labels: node.labels,
    executors: node.executors ?? null,
    capacity: {
      cpus: node.cpus ?? availableParallelism(),
      memoryMb: node.memory_mb ?? Math.floor(totalmem() / 2 ** 20),
      gpus: node.gpus,
    },
  };
}
