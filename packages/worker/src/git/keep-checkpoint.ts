import { type AttemptId, checkpointRef } from "@dispatch/core";
import type { Workspace } from "./capture-tree.ts";
import { gitText, runGit } from "./run-git.ts";

/** Names what an attempt has by now, so that the controller can compare it with what others have. Nothing rests on it. */
export async function keepCheckpoint(workspace: Workspace, attempt: AttemptId, round: number, tree: string): Promise<void> {
  const { repository, base } = workspace;
  const input = `Checkpoint of ${attempt}, round ${round}\n`;
  const commit = await gitText(["commit-tree", tree, "-p", base], { gitDir: repository, input });
  await runGit(["update-ref", checkpointRef(attempt), commit], { gitDir: repository });
}
