import { type CommandResult, FactoryError } from "@dispatch/core";
import { swapBack, swapTree } from "../git/swap-tree.ts";
import { type CommandPlace, runCommands } from "./run-verify-commands.ts";
import { waitForRoom } from "./wrapper.ts";

/**
 * What the verify commands return on another tree, in the attempt's own worktree with what is installed there.
 * Undefined: git could not make that tree or lay it out.
 */
export async function runOnTree(
  place: CommandPlace,
  captured: string,
  treeOf: () => Promise<string>,
  word: string,
): Promise<readonly CommandResult[] | undefined> {
  const { wrapper, workspace } = place;
  try {
    const laid = await waitForRoom(wrapper, () => layOut(async () => swapTree(workspace, captured, await treeOf())));
    if (!laid) wrapper.pane.say(`${word}: not possible in this worktree`);
    return laid ? (await runCommands(place, word, wrapper.job.verify)).results : undefined;
  } finally {
    await waitForRoom(wrapper, () => swapBack(workspace));
  }
}

async function layOut(swap: () => Promise<void>): Promise<boolean> {
  try {
    await swap();
    return true;
  } catch (error) {
    if (error instanceof FactoryError && error.code === "GIT_FAILED") return false;
    throw error;
  }
}
