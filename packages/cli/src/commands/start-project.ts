import type { FeedView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { projectPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { feedLines } from "../render/feed-lines.ts";
import { ensureDaemon } from "../start-daemon.ts";

/** `dispatch start PROJECT`: a daemon when none runs, the specs, and leave to place them. */
export async function startProject(context: CommandContext, input: { project: string; follow: boolean; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const { health, started } = await ensureDaemon(client, context.mainFile);
  if (started) terminal.note([`started a daemon (pid ${health.pid}); dispatch down ends it`]);
  const feed = await client.post<FeedView>(projectPath(input.project, "/start"));
  if (input.json) terminal.json(feed);
  else terminal.out(feedLines(input.project, feed, terminal.view()));
  const refused = feed.refused.length === 0 ? exitCodes.ok : exitCodes.failed;
  if (!input.follow) return refused;
  const { followProject } = await import("../follow/follow-project.ts");
  const followed = await followProject(terminal, client, input.project);
  return followed === exitCodes.ok ? refused : followed;
}
