import * as z from "zod";
import { configInvalid } from "../config/problem.ts";
import { readConfig } from "../config/read-config.ts";

/** What bootstrap.sh writes about the machine that it made a node. The values are checked when they are put into nodes.json. */
const NodeInfo = z.strictObject({
  name: z.string().min(1),
  slots: z.number().int().min(1).max(512),
  mode: z.string().optional(),
  labels: z.array(z.string()).default([]),
  cpus: z.number().positive().optional(),
  memory_mb: z.number().int().positive().optional(),
  gpus: z.number().int().min(0).optional(),
  work_dir: z.string().min(1).optional(),
  ssh_target: z.string().min(1).optional(),
  host_key: z.string().min(1).optional(),
  // For people; the node says these itself.
  ssh_user: z.string().optional(),
  node: z.string().optional(),
  git: z.string().optional(),
  tmux: z.string().optional(),
  agents: z.record(z.string(), z.string()).optional(),
});
export type NodeInfo = z.infer<typeof NodeInfo>;

/** Reads a node-info.json. Throws CONFIG_INVALID with everything that is wrong with it, unknown keys included. */
export function readNodeInfo(text: string, file: string): NodeInfo {
  const read = readConfig(NodeInfo, file, text);
  if ("value" in read) return read.value;
  const known = `it may hold ${Object.keys(NodeInfo.shape).join(", ")}; put anything else into nodes.json after the node was added`;
  throw configInvalid(read.problems.map((problem) => (problem.message === "is not a known key" ? { ...problem, hint: known } : problem)));
}
