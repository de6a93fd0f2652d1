import type { CordonRequest, NodeView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { type DaemonClient, nodePath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { nodesIfReached } from "../follow/follow-nodes.ts";
import { watchForChanges } from "../follow/watch-changes.ts";
import { catchInterruption } from "../interruption.ts";
import { drainText } from "../render/drain-text.ts";
import { isEmptied } from "../render/node-words.ts";
import type { Terminal } from "../terminal.ts";

/** How often is looked at what no event tells. */
const tickMs = 2000;

/** `dispatch node drain NODE [--wait]`: nothing new starts there; with `wait` it ends when nothing of ours is left there. */
export async function drainNode(context: CommandContext, input: { node: string; wait: boolean; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const { lastSeq } = await client.status();
  await client.post(nodePath(input.node, "/cordon"), { drain: true } satisfies CordonRequest);
  const node = await client.get<NodeView>(nodePath(input.node));
  const end = input.wait ? await waitUntilEmptied({ terminal, client, quiet: input.json }, node, lastSeq) : node;
  if (end === undefined) {
    terminal.note([`no longer waiting; ${node.id} goes on draining`, `  try: dispatch node show ${node.id}, or dispatch node uncordon ${node.id}`]);
    return exitCodes.interrupted;
  }
  const reopened = input.wait && !isEmptied(end);
  if (reopened) terminal.note([`no longer waiting: ${end.id} is not draining any more`]);
  if (input.json) terminal.json(end);
  else if (!reopened) terminal.out([drainText(end, terminal.view()), ...(isEmptied(end) ? [] : [`  try: dispatch node drain ${end.id} --wait`])]);
  return reopened ? exitCodes.failed : exitCodes.ok;
}

interface Waiting {
  terminal: Terminal;
  client: DaemonClient;
  quiet: boolean;
}

/** The node when it was empty, or when somebody had it take tasks again; undefined when interrupted. */
async function waitUntilEmptied({ terminal, client, quiet }: Waiting, first: NodeView, after: number): Promise<NodeView | undefined> {
  const interruption = catchInterruption();
  const watching = new AbortController();
  const changes = watchForChanges(client, after, AbortSignal.any([interruption.signal, watching.signal]));
  let node = first;
  let told = "";
  try {
    for (;;) {
      if (isEmptied(node) || node.resting?.drain !== true) return node;
      const text = drainText(node, terminal.view());
      if (text !== told && !quiet) terminal.note([text]);
      told = text;
      await changes.changeOrTick(tickMs);
      if (interruption.signal.aborted) return undefined;
      if (changes.error !== undefined) throw changes.error;
      const view = await nodesIfReached(client);
      node = view === undefined ? node : (view.nodes.find((one) => one.id === first.id) ?? gone(node));
    }
  } finally {
    watching.abort();
    interruption.release();
    await changes.ended;
  }
}

/** A machine that is not configured any more is let go when nothing of ours is left there. */
function gone(node: NodeView): NodeView {
  return { ...node, used: 0, sessions: [], fenced: [], unfetched: [] };
}
