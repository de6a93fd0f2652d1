import { FactoryError, isFactoryError } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import { loadFactory } from "../config/load-factory.ts";
import { readNodes, readText } from "../config/load-nodes.ts";
import { configInvalid } from "../config/problem.ts";
import { acceptHostKey, type KeyDialogue } from "./accept-host-key.ts";
import { judgeVersion } from "./doctor/judge-machine.ts";
import { addToNodesFile, refuseTaken } from "./edit-nodes-file.ts";
import type { NodeInfo } from "./node-info.ts";
import { reachHost } from "./reach-host.ts";
import { connectNode, type NodeEntry, reachNode } from "./reach-node.ts";
import { withNode } from "./splice-nodes.ts";
import { type Survey, surveyNode } from "./survey-node.ts";

export interface NewNode {
  /** What bootstrap.sh wrote, or the name alone. What else is given here counts more. */
  info: Partial<NodeInfo> & { name: string };
  /** Default: what the info says, else the name, as one of the user's SSH configuration. */
  sshTarget: string | undefined;
  slots: number | undefined;
  transport: "auto" | "ssh2" | "openssh" | "local" | undefined;
  labels: readonly string[];
  mode: string | undefined;
  workDir: string | undefined;
  key: KeyDialogue;
  /** Says one line about what is done. */
  say(line: string): void;
}

export interface AddedNode {
  node: string;
  /** As it was written into nodes.json. */
  entry: Readonly<Record<string, unknown>>;
  survey: Survey;
  nodeVersion: string | null;
}

const mostSlots = 8;

/**
 * Adds a machine to nodes.json, after its host key was accepted, everything the work there needs was found, the worker put
 * in place and its host greeted; until then nothing of the factory changes. Throws USAGE for a name that is taken.
 */
export async function addNode(dir: string, input: NewNode): Promise<AddedNode> {
  const config = await loadFactory(dir);
  const draft = composeEntry(input);
  const text = await readText(config.dir, factoryPaths.nodes);
  refuseTaken(text, input.info.name);
  const entry = checkEntry(text, { ...draft, slots: draft["slots"] ?? 1 }, input.info.name);
  const { access } = reachNode(config.dir, entry);
  if (access !== undefined) {
    input.say(`asking ${access.target} for its host key`);
    const fingerprint = input.key.fingerprint ?? input.info.host_key;
    const transport = input.transport === "openssh" || input.transport === "ssh2" ? input.transport : "auto";
    draft["host_key"] = entry.host_key = await acceptHostKey(access, transport, { ...input.key, fingerprint });
  }
  const found = await equip(config.dir, entry, input);
  const slots = input.slots ?? input.info.slots ?? Math.max(1, Math.min(mostSlots, found.survey.cpus ?? 1));
  const written = { ...ordered({ ...draft, slots }), name: input.info.name };
  await addToNodesFile(config.dir, written);
  return { node: input.info.name, entry: written, ...found };
}

function composeEntry({ info, sshTarget, slots, transport, labels, mode, workDir }: NewNode): Record<string, unknown> {
  const all = { labels: [...new Set([...(info.labels ?? []), ...labels])], slots: slots ?? info.slots, mode: mode ?? info.mode };
  const fields: Record<string, unknown> = {
    name: info.name,
    ...(transport === "local" ? {} : { ssh_target: sshTarget ?? info.ssh_target ?? info.name }),
    ...(transport === undefined || transport === "auto" ? {} : { transport }),
    slots: all.slots,
    mode: all.mode,
    labels: all.labels.length === 0 ? undefined : all.labels,
    cpus: info.cpus,
    memory_mb: info.memory_mb,
    gpus: info.gpus === 0 ? undefined : info.gpus,
    work_dir: workDir ?? info.work_dir,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

const order = ["name", "ssh_target", "transport", "host_key", "slots", "mode", "labels", "cpus", "memory_mb", "gpus", "work_dir"];

function ordered(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(order.filter((key) => key in fields).map((key) => [key, fields[key]]));
}

/** The entry as the file with it in would be read. Throws CONFIG_INVALID with all that is wrong with it. */
function checkEntry(text: string, draft: Readonly<Record<string, unknown>>, name: string): NodeEntry {
  const read = readNodes(withNode(text, draft));
  if ("problems" in read) throw configInvalid(read.problems);
  const entry = read.value.nodes.find((node) => node.name === name);
  if (entry === undefined) throw new FactoryError("USAGE", `"${name}" is no name for a node`, { fault: "user" });
  return entry;
}

/** Logs in and makes sure that the work could begin there at once. */
async function equip(dir: string, entry: NodeEntry, { say }: NewNode): Promise<{ survey: Survey; nodeVersion: string | null }> {
  const { reach, config } = reachNode(dir, entry);
  say("logging in");
  const connection = await connectNode(reach);
  try {
    say("looking at the machine");
    const workDir = "ssh" in config ? config.ssh.workDir : config.home;
    const survey = await surveyNode(connection, { workDir, programs: [] });
    requireTools(entry, survey);
    say("putting the worker in place");
    const prepared = await reach.prepare(connection).catch((error: unknown) => {
      throw offerBootstrap(entry, error);
    });
    say("greeting its host");
    const host = await reachHost(connection, entry.name, prepared);
    host.close();
    return { survey, nodeVersion: prepared.nodeVersion };
  } finally {
    connection.close();
  }
}

function requireTools(entry: NodeEntry, survey: Survey): void {
  const checks = [judgeVersion("git", survey.git, [2, 38]), judgeVersion("tmux", survey.tmux, [3, 0])];
  const wrong = checks.filter((check) => check.level === "fail");
  if (wrong.length === 0) return;
  const says = wrong.map(({ check, says: what }) => `${check} ${what}`).join("; ");
  throw new FactoryError("NODE_FAILED", `node ${entry.name}: ${says}`, {
    fault: "user",
    retry: "later",
    hint: `${wrong.map(({ remedy }) => remedy).join("; ")}, or ${bootstrapHint(entry)}`,
    facts: { node: entry.name, missing: wrong.map(({ check }) => check) },
  });
}

/** A machine without a usable Node.js, git or tmux can be made a node in one step. */
function offerBootstrap(entry: NodeEntry, error: unknown): unknown {
  if (!isFactoryError(error) || !("found" in error.facts || "missing" in error.facts)) return error;
  return new FactoryError(error.code, error.message, {
    fault: error.fault,
    retry: error.retry,
    hint: bootstrapHint(entry),
    facts: error.facts,
    cause: error,
  });
}

function bootstrapHint({ ssh_target, name, slots }: NodeEntry): string {
  return ssh_target === undefined
    ? "install it on this machine"
    : `dispatch node bootstrap ${ssh_target} --name ${name} --slots ${slots} installs all it needs`;
}
