import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { factoryPaths } from "@dispatch/protocol";
import { type ConfigProblem, configInvalid } from "./problem.ts";
import { type Read, readConfig } from "./read-config.ts";
import { Nodes } from "./schema.ts";

/** Folder of a node's files on a machine behind SSH, when nothing else is configured. */
export const farHome = "~/.dispatch";

type NodeEntry = Nodes["nodes"][number];

/** What a text of nodes.json says, or everything that is wrong with it. */
export function readNodes(text: string): Read<Nodes> {
  const read = readConfig(Nodes, factoryPaths.nodes, text);
  if ("problems" in read) return read;
  const problems = checkNodes(read.value);
  return problems.length > 0 ? { problems } : read;
}

/** The text of a file of the factory. Throws CONFIG_INVALID when it cannot be read. */
export async function readText(root: string, file: string): Promise<string> {
  try {
    return await readFile(join(root, file), "utf8");
  } catch (error) {
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    throw configInvalid([{ file, path: "(file)", message, hint: "dispatch init writes one that works" }]);
  }
}

function checkNodes({ nodes }: Nodes): ConfigProblem[] {
  const names = new Set<string>();
  const homes = new Map<string, string>();
  return nodes.flatMap((node, i) => {
    const problems = [...checkReach(node, i), ...checkQuota(node, i)];
    if (names.has(node.name)) problems.push(nodeProblem(i, "name", `is used twice; got "${node.name}"`, "give every node a name of its own"));
    else problems.push(...checkHome(node, i, homes));
    names.add(node.name);
    return problems;
  });
}

/** Two nodes in one folder would each stop what the other runs. Machines under two names cannot be told from here. */
function checkHome({ name, ssh_target, work_dir }: NodeEntry, i: number, homes: Map<string, string>): ConfigProblem[] {
  const home = JSON.stringify([ssh_target ?? "", work_dir ?? (ssh_target === undefined ? `${factoryPaths.localNode}/${name}` : farHome)]);
  const other = homes.get(home);
  homes.set(home, other ?? name);
  if (other === undefined) return [];
  return [nodeProblem(i, "work_dir", `is the folder of node ${other} too`, "give each node of a machine a work_dir of its own")];
}

function checkReach({ ssh_target, host_key, transport, socket, lost_after_minutes }: NodeEntry, i: number): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (ssh_target !== undefined) {
    if (transport === "local") problems.push(nodeProblem(i, "transport", "cannot be local for a node with ssh_target", "remove one of the two"));
    if (socket !== undefined && transport === "ssh2")
      problems.push(nodeProblem(i, "socket", "is of no use to transport ssh2", "set transport to auto or openssh, or remove it"));
    return problems;
  }
  if (transport !== undefined && transport !== "local")
    problems.push(nodeProblem(i, "ssh_target", `is missing; transport is "${transport}"`, "add ssh_target"));
  const remote = { host_key, socket, lost_after_minutes: lost_after_minutes === "never" ? undefined : lost_after_minutes };
  for (const [field, value] of Object.entries(remote))
    if (value !== undefined) problems.push(nodeProblem(i, field, "is of no use without ssh_target", "remove it, or add ssh_target"));
  return problems;
}

function checkQuota({ quota_mb, project_quota_mb }: NodeEntry, i: number): ConfigProblem[] {
  if (quota_mb === undefined || project_quota_mb === undefined || project_quota_mb <= quota_mb) return [];
  return [nodeProblem(i, "project_quota_mb", `is above quota_mb; got ${project_quota_mb} and ${quota_mb}`, "lower it, or raise quota_mb")];
}

function nodeProblem(i: number, field: string, message: string, hint: string): ConfigProblem {
  return { file: factoryPaths.nodes, path: `nodes.${i}.${field}`, message, hint };
}
