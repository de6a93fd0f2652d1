import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { errorCode, FactoryError } from "@dispatch/core";
import type { NodesView, NodeView } from "@dispatch/protocol";
import { type CommandContext, factoryOf } from "../command-context.ts";
import { confirmHostKey } from "../confirm-host-key.ts";
import { createDaemonClient, type DaemonClient } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { addedLines, takenUpLine } from "../render/node-setup-lines.ts";

export interface AddNodeInput {
  /** A name, or a file that bootstrap.sh wrote. */
  what: string;
  ssh: string | undefined;
  slots: number | undefined;
  transport: "auto" | "ssh2" | "openssh" | "local" | undefined;
  labels: readonly string[];
  mode: string | undefined;
  workDir: string | undefined;
  fingerprint: string | undefined;
  yes: boolean;
  json: boolean;
}

/** `dispatch node add NAME|node-info.json` */
export async function addNode(context: CommandContext, input: AddNodeInput): Promise<number> {
  const { terminal } = context;
  const factory = await factoryOf(context);
  const controller = await import("@dispatch/controller");
  const info = isFile(input.what) ? controller.readNodeInfo(await readInfo(context.cwd, input.what), input.what) : { name: input.what };
  const added = await controller.addNode(factory, {
    info,
    sshTarget: input.ssh,
    slots: input.slots,
    transport: input.transport,
    labels: input.labels,
    mode: input.mode,
    workDir: input.workDir,
    key: { fingerprint: input.fingerprint, yes: input.yes, confirm: confirmHostKey(info.name, context) },
    say: (line) => terminal.note([terminal.paint.faint(line)]),
  });
  if (!input.json) terminal.out(addedLines(added, terminal.paint));
  const taken = await takenUp(factory, added.node, (line) => terminal.note([terminal.paint.faint(line)]));
  if (input.json)
    terminal.json({ node: added.node, entry: added.entry, nodeVersion: added.nodeVersion, survey: added.survey, daemon: taken ?? null });
  else terminal.out([takenUpLine(added.node, taken, terminal.paint)]);
  return exitCodes.ok;
}

/** A node's name has neither a dot nor a slash. */
function isFile(what: string): boolean {
  return what === "-" || what.includes("/") || what.includes(".");
}

async function readInfo(cwd: string, file: string): Promise<string> {
  if (file === "-") {
    let text = "";
    for await (const chunk of process.stdin.setEncoding("utf8")) text += chunk as string;
    return text;
  }
  const path = resolve(cwd, file);
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new FactoryError("USAGE", `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      fault: "user",
      hint: `name the node-info.json that bootstrap.sh wrote, or a node: dispatch node add ${basename(file).replace(/\..*$/, "")} --ssh TARGET`,
      cause,
    });
  }
}

const takeUpLimitMs = 30_000;
const lookMs = 300;

/** The node as a running daemon has it, up or not after a fair time; undefined when no daemon runs. */
async function takenUp(factory: string, name: string, say: (line: string) => void): Promise<NodeView | undefined> {
  const client = createDaemonClient(factory);
  const giveUpAt = Date.now() + takeUpLimitMs;
  for (let told = false; ; told = true) {
    const node = await nodeOf(client, name);
    if (node === "no-daemon") return undefined;
    const known = node === "unknown" ? undefined : node;
    // The first try may fail; it is just here that it was reached.
    if (known?.state.kind === "up" || Date.now() > giveUpAt) return known;
    if (!told) say("the daemon takes it up");
    await new Promise((settle) => setTimeout(settle, lookMs));
  }
}

async function nodeOf(client: DaemonClient, name: string): Promise<NodeView | "unknown" | "no-daemon"> {
  try {
    const { nodes } = await client.get<NodesView>("/nodes");
    // What is only remembered is not configured yet.
    return nodes.find((node) => node.id === name && node.link !== null) ?? "unknown";
  } catch (error) {
    if (errorCode(error) === "DAEMON_UNREACHABLE") return "no-daemon";
    throw error;
  }
}
