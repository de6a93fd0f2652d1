import type { FeedView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { projectPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { feedLines } from "../render/feed-lines.ts";

/** `dispatch feed PROJECT`: 1 when a spec was left out. */
export async function feedProject(context: CommandContext, input: { project: string; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const feed = await client.post<FeedView>(projectPath(input.project, "/feed"));
  if (input.json) terminal.json(feed);
  else terminal.out(feedLines(input.project, feed, terminal.view()));
  return feed.refused.length === 0 ? exitCodes.ok : exitCodes.failed;
}
