import type { WhyView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { taskPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { whyLines } from "../render/why-lines.ts";
import { resolveTask } from "../resolve-task.ts";

/** `dispatch why TASK` */
export async function explainTask(context: CommandContext, input: { task: string; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const { id } = await resolveTask(client, input.task);
  const why = await client.get<WhyView>(taskPath(id, "/why"));
  if (input.json) terminal.json(why);
  else terminal.out(whyLines(why, terminal.view()));
  return exitCodes.ok;
}
