import { errorCode } from "@dispatch/core";
import type { AbandonView, NodeView } from "@dispatch/protocol";
import { type CommandContext, factoryOf } from "../command-context.ts";
import { createDaemonClient, type DaemonClient, nodePath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural } from "../render/figures.ts";
import { drainNode } from "./drain-node.ts";

export interface RemoveNodeInput {
  node: string;
  drain: boolean;
  /** It is gone for good, with what was never fetched from it. */
  abandon: boolean;
  json: boolean;
}

/** `dispatch node remove NODE`: out of nodes.json, when nothing is lost with it. */
export async function removeNode(context: CommandContext, input: RemoveNodeInput): Promise<number> {
  const { terminal } = context;
  const factory = await factoryOf(context);
  const controller = await import("@dispatch/controller");
  await controller.requireRemovable(factory, input.node);
  const client = createDaemonClient(factory);
  const view = await viewOf(client, input.node);
  const emptied = view === "no-daemon" ? await requireEmpty(factory, input) : await makeEmpty(context, client, view, input);
  if (typeof emptied === "number") return emptied;
  await controller.removeNode(factory, input.node);
  if (view !== "no-daemon") await forgetDecisions(client, input.node);
  if (input.json) terminal.json({ node: input.node, removed: true, abandoned: emptied.abandoned });
  else {
    const given = emptied.abandoned.length === 0 ? "" : `; ${plural(emptied.abandoned.length, "attempt")} given up: ${emptied.abandoned.join(", ")}`;
    terminal.out([`${terminal.paint.good("removed")} ${input.node}${given}`]);
  }
  return exitCodes.ok;
}

interface Emptied {
  abandoned: readonly string[];
}

/** Without a daemon the ledger tells what lies there, and nothing can be done about it. */
async function requireEmpty(factory: string, { node }: RemoveNodeInput): Promise<Emptied> {
  const { heldByLedger, refuseHeld } = await import("@dispatch/controller");
  refuseHeld(
    node,
    await heldByLedger(factory, node),
    `start the daemon (dispatch up), then dispatch node remove ${node} --drain, or --abandon for a machine that is gone`,
  );
  return { abandoned: [] };
}

/** An exit code when it was not to be. */
async function makeEmpty(
  context: CommandContext,
  client: DaemonClient,
  view: NodeView | undefined,
  input: RemoveNodeInput,
): Promise<Emptied | number> {
  const { node, drain, abandon } = input;
  if (view === undefined) return { abandoned: [] };
  if (abandon) return { abandoned: (await client.post<AbandonView>(nodePath(node, "/abandon"))).attempts };
  if (drain) {
    // What a drain says is about the way, not the result.
    const { terminal } = context;
    const code = await drainNode({ ...context, terminal: { ...terminal, out: terminal.note } }, { node, wait: true, json: false });
    return code === exitCodes.ok ? { abandoned: [] } : code;
  }
  const { refuseHeld } = await import("@dispatch/controller");
  const sessions = [...view.sessions, ...view.fenced].map(({ attempt }) => attempt);
  const gone = view.state.kind === "up" ? "" : "; --abandon when the machine is gone for good";
  refuseHeld(node, { sessions, unfetched: view.unfetched }, `dispatch node remove ${node} --drain waits until it is empty${gone}`);
  return { abandoned: [] };
}

/** Undefined: the daemon does not know it. */
async function viewOf(client: DaemonClient, node: string): Promise<NodeView | undefined | "no-daemon"> {
  try {
    return await client.get<NodeView>(nodePath(node));
  } catch (error) {
    if (errorCode(error) === "DAEMON_UNREACHABLE") return "no-daemon";
    if (errorCode(error) === "NOT_FOUND") return undefined;
    throw error;
  }
}

const leaveLimitMs = 15_000;
const lookMs = 200;

/** When the daemon has let it go, a node that is added under this name later is not to be found closed. */
async function forgetDecisions(client: DaemonClient, node: string): Promise<void> {
  const giveUpAt = Date.now() + leaveLimitMs;
  for (;;) {
    const view = await viewOf(client, node);
    if (view === undefined || view === "no-daemon") return;
    if (view.link === null || Date.now() > giveUpAt) break;
    await new Promise((settle) => setTimeout(settle, lookMs));
  }
  await client.post(nodePath(node, "/uncordon")).catch((error: unknown) => {
    if (errorCode(error) !== "NOT_FOUND") throw error;
  });
}
