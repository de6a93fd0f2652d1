import { type CommandContext, clientOf } from "../command-context.ts";
import { taskPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { resolveTask } from "../resolve-task.ts";

/** `dispatch cancel TASK` */
export async function cancelTask(context: CommandContext, input: { task: string; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const { id, node } = await resolveTask(client, input.task);
  await client.post(taskPath(id, "/cancel"));
  if (input.json) terminal.json({ task: id });
  else terminal.out([node === null ? `${id} is cancelled` : `${id} is being cancelled; its session ends and its work is kept`]);
  return exitCodes.ok;
}
