import type { NodesView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";
import { catchInterruption } from "../interruption.ts";
import { fitPainted } from "../render/fit-painted.ts";
import { nodeTable } from "../render/node-table.ts";

/** `dispatch node list`: a table that lives on a terminal until Ctrl-C; printed once elsewhere, or when asked for. */
export async function listNodes(context: CommandContext, input: { once: boolean; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  if (terminal.live && !input.once && !input.json) {
    const interruption = catchInterruption();
    try {
      const { followNodes } = await import("../follow/follow-nodes.ts");
      await followNodes(terminal, client, process.stdout, interruption.signal);
      return exitCodes.ok;
    } finally {
      interruption.release();
    }
  }
  const nodes = await client.get<NodesView>("/nodes");
  const view = terminal.view();
  if (input.json) terminal.json(nodes);
  else terminal.out(nodeTable(nodes, view).map((line) => fitPainted(line, view.columns)));
  return exitCodes.ok;
}
