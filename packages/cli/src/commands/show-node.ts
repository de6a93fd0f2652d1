import type { NodeView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { nodePath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { nodeLines } from "../render/node-lines.ts";

/** `dispatch node show NODE` */
export async function showNode(context: CommandContext, input: { node: string; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const node = await client.get<NodeView>(nodePath(input.node));
  if (input.json) terminal.json(node);
  else terminal.out(nodeLines(node, terminal.view()));
  return exitCodes.ok;
}
