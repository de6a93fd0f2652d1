import { loadFactory } from "../config/load-factory.ts";
import { connectNode, findNode } from "./reach-node.ts";
import { type CommandEnd, type CommandRun, runCommand } from "./run-command.ts";

/**
 * Runs a command on a configured node over a connection of its own; needs no daemon and nothing on the node but `sh`.
 * Throws NOT_FOUND for a node that is not configured, NODE_UNREACHABLE or NODE_FAILED when it cannot be reached.
 */
export async function execOnNode(dir: string, name: string, run: CommandRun): Promise<CommandEnd> {
  const { reach } = findNode(await loadFactory(dir), name);
  const connection = await connectNode(reach);
  try {
    return await runCommand(connection, run);
  } finally {
    connection.close();
  }
}
