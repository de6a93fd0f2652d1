import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { FactoryError } from "@dispatch/core";
import { parseTarget } from "@dispatch/fleet";
import { factoryPaths } from "@dispatch/protocol";
import { loadFactory } from "../config/load-factory.ts";
import { readNodes } from "../config/load-nodes.ts";
import { configInvalid } from "../config/problem.ts";
import { acceptHostKey, type KeyDialogue } from "./accept-host-key.ts";
import { addNode } from "./add-node.ts";
import { type BootstrapOrder, bootstrapArguments, bootstrapInput } from "./bootstrap-input.ts";
import { refuseTaken } from "./edit-nodes-file.ts";
import { type NodeInfo, readNodeInfo } from "./node-info.ts";
import { connectNode, type NodeEntry, reachNode } from "./reach-node.ts";
import { runBootstrap } from "./run-bootstrap.ts";

export interface BootstrapRequest extends Omit<BootstrapOrder, "name"> {
  /** `[user@]host[:port]`, or a name from the user's SSH configuration. */
  target: string;
  /** Default: the first word of the target's host. */
  name: string | undefined;
  transport: "auto" | "ssh2" | "openssh" | undefined;
  key: KeyDialogue;
  /** Called with one line for each step. */
  say(line: string): void;
  /** Stops listening; what the machine is at it finishes, and another run goes on from there. */
  signal: AbortSignal;
}

export type BootstrapOutcome =
  /** `kept`: nodes.json had it already, and was left as it is. */
  { outcome: "ready"; name: string; info: NodeInfo; registered: "added" | "kept" } | { outcome: "interrupted"; name: string };

/**
 * Makes a machine behind SSH a node: has its host key accepted, runs bootstrap.sh there and adds it to nodes.json.
 * Done again it goes on, or changes nothing. Throws NODE_UNREACHABLE, NODE_FAILED with what the script said, NOT_ALLOWED
 * for a key that nobody accepted, or USAGE.
 */
export async function bootstrapNode(factory: string, request: BootstrapRequest): Promise<BootstrapOutcome> {
  const { dir, nodes } = await loadFactory(factory);
  const name = request.name ?? nameOf(request.target);
  const known = nodes.nodes.find((node) => node.name === name);
  if (known !== undefined && known.ssh_target !== request.target) refuseTaken(JSON.stringify(nodes), name);
  const order: BootstrapOrder = { ...request, name };
  const args = bootstrapArguments(order);
  const input = bootstrapInput(await readScript(), order);
  const entry = known ?? draftEntry(request, name);
  const hostKey = entry.host_key ?? (await askKey(dir, entry, request));
  const said = await runThere(dir, { ...entry, host_key: hostKey }, request, { args, input });
  if (said === undefined) return { outcome: "interrupted", name };
  const info = readNodeInfo(said, "node-info.json");
  if (known !== undefined) return { outcome: "ready", name, info, registered: "kept" };
  await register(dir, request, info, hostKey);
  return { outcome: "ready", name, info, registered: "added" };
}

/** `gpu-1` for `me@gpu-1.lan:2222`. */
function nameOf(target: string): string {
  const host = parseTarget(target)?.host ?? "";
  const [name = ""] = host.toLowerCase().split(".");
  if (/^[a-z][a-z0-9-]*$/.test(name)) return name;
  throw new FactoryError("USAGE", `${JSON.stringify(target)} gives no name for a node`, { fault: "user", hint: "name it with --name" });
}

async function readScript(): Promise<string> {
  return await readFile(fileURLToPath(import.meta.resolve("@dispatch/controller/bootstrap.sh")), "utf8");
}

function draftEntry({ target, slots, transport, workDir }: BootstrapRequest, name: string): NodeEntry {
  const written = { name, ssh_target: target, slots, transport: transport ?? "auto", ...(workDir === undefined ? {} : { work_dir: workDir }) };
  const read = readNodes(JSON.stringify({ nodes: [written] }));
  if ("problems" in read) throw configInvalid(read.problems.map((problem) => ({ ...problem, file: factoryPaths.nodes })));
  const [entry] = read.value.nodes;
  if (entry === undefined) throw new FactoryError("USAGE", `"${name}" is no name for a node`, { fault: "user" });
  return entry;
}

async function askKey(dir: string, entry: NodeEntry, { target, transport, key, say }: BootstrapRequest): Promise<string> {
  const { access } = reachNode(dir, entry);
  if (access === undefined) throw new FactoryError("USAGE", `node ${entry.name} is this machine`, { fault: "user", hint: "name an SSH target" });
  say(`asking ${target} for its host key`);
  return await acceptHostKey(access, transport ?? "auto", key);
}

async function runThere(
  dir: string,
  entry: NodeEntry,
  { target, say, signal }: BootstrapRequest,
  script: { args: readonly string[]; input: string },
): Promise<string | undefined> {
  say(`logging in to ${target}`);
  const connection = await connectNode(reachNode(dir, entry).reach);
  try {
    return await runBootstrap(connection, { target, ...script, onProgress: say, signal });
  } finally {
    connection.close();
  }
}

/** The machine says itself what it has whenever it is reached, so that cores and memory need not stand in nodes.json. */
async function register(dir: string, { target, transport, workDir, say }: BootstrapRequest, info: NodeInfo, hostKey: string): Promise<void> {
  const { cpus: _, memory_mb: __, work_dir: ___, mode, ...kept } = info;
  await addNode(dir, {
    info: kept,
    sshTarget: target,
    slots: info.slots,
    transport,
    labels: [],
    mode: mode === "none" ? undefined : mode,
    workDir,
    key: { fingerprint: hostKey, yes: false, confirm: undefined },
    say,
  });
}
