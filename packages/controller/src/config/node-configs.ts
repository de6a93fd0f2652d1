import { join } from "node:path";
import type { NodeConfig } from "@dispatch/fleet";
import { factoryPaths } from "@dispatch/protocol";
import type { FactoryConfig } from "./load-factory.ts";
import { farHome } from "./load-nodes.ts";
import { configuredCapacity, nodeOffer } from "./node-offers.ts";

type NodeEntry = FactoryConfig["nodes"]["nodes"][number];

const defaultLostAfterMinutes = 10;

/** What the pool needs to know of each configured node. */
export function nodeConfigs({ dir, nodes }: Pick<FactoryConfig, "dir" | "nodes">): NodeConfig[] {
  return nodes.nodes.map((node) => nodeConfig(dir, node));
}

function nodeConfig(dir: string, node: NodeEntry): NodeConfig {
  const { name: id, labels, executors } = nodeOffer(node);
  const { limits, low_water } = node;
  const common = {
    id,
    slots: node.slots,
    gateSlots: node.gate_slots,
    lowPriority: node.low_priority,
    labels,
    executors,
    capacity: configuredCapacity(node),
    limits: {
      memoryMb: limits.memory_mb ?? null,
      cpus: limits.cpus ?? null,
      processes: limits.processes ?? null,
      outputMb: limits.output_mb ?? null,
    },
    lowWater: { diskBytes: inBytes(low_water.disk_mb), memoryBytes: inBytes(low_water.memory_mb) },
    quota: { bytes: inBytes(node.quota_mb), projectBytes: inBytes(node.project_quota_mb) },
    lostAfterMs: lostAfterMs(node),
  };
  if (node.ssh_target === undefined) return { ...common, home: node.work_dir ?? join(dir, factoryPaths.localNode, node.name) };
  const transport = node.transport === "ssh2" || node.transport === "openssh" ? node.transport : "auto";
  return {
    ...common,
    ssh: {
      target: node.ssh_target,
      transport,
      hostKey: node.host_key ?? null,
      workDir: node.work_dir ?? farHome,
      ...(node.socket === undefined ? {} : { socket: node.socket }),
    },
  };
}

/** What may lie on a node, and for how long. */
export function tidyPolicy(node: NodeEntry): { keepMs: number; quotaBytes: number | null; projectQuotaBytes: number | null } {
  const keepMs = node.keep_logs_days * 24 * 60 * 60_000;
  return { keepMs, quotaBytes: inBytes(node.quota_mb), projectQuotaBytes: inBytes(node.project_quota_mb) };
}

function inBytes(mebibytes: number | undefined): number | null {
  return mebibytes === undefined ? null : mebibytes * 2 ** 20;
}

function lostAfterMs({ ssh_target, lost_after_minutes }: NodeEntry): number | null {
  if (ssh_target === undefined || lost_after_minutes === "never") return null;
  return (lost_after_minutes ?? defaultLostAfterMinutes) * 60_000;
}
