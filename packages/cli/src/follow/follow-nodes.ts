import { errorCode } from "@dispatch/core";
import type { NodesView } from "@dispatch/protocol";
import type { DaemonClient } from "../daemon-client.ts";
import { openLiveScreen } from "../live-screen.ts";
import { fitPainted } from "../render/fit-painted.ts";
import { nodeFrame } from "../render/node-table.ts";
import type { Terminal } from "../terminal.ts";
import { watchForChanges } from "./watch-changes.ts";

/** How often what the machines say of themselves is looked at. */
const tickMs = 1000;

/** The table of the machines, drawn over at every event and every second, until the signal. */
export async function followNodes(terminal: Terminal, client: DaemonClient, stdout: NodeJS.WriteStream, signal: AbortSignal): Promise<void> {
  const watching = new AbortController();
  const { lastSeq } = await client.status();
  let nodes = await client.get<NodesView>("/nodes");
  const changes = watchForChanges(client, lastSeq, AbortSignal.any([signal, watching.signal]));
  const screen = openLiveScreen(stdout);
  try {
    while (!signal.aborted) {
      const note = changes.reached ? "Ctrl-C ends the list" : "the daemon does not answer; waiting for it";
      const view = terminal.view();
      screen.draw(nodeFrame(nodes, note, view, terminal.rows() - 1).map((line) => fitPainted(line, view.columns)));
      await changes.changeOrTick(tickMs);
      if (changes.error !== undefined) throw changes.error;
      nodes = (await nodesIfReached(client)) ?? nodes;
    }
  } finally {
    screen.close();
    watching.abort();
    await changes.ended;
  }
}

/** Undefined while no daemon answers. */
export async function nodesIfReached(client: DaemonClient): Promise<NodesView | undefined> {
  try {
    return await client.get<NodesView>("/nodes");
  } catch (error) {
    if (errorCode(error) === "DAEMON_UNREACHABLE") return undefined;
    throw error;
  }
}
