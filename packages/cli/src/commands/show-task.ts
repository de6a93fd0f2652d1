import type { TaskView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { taskPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { taskLines } from "../render/task-lines.ts";
import { resolveTask } from "../resolve-task.ts";

/** `dispatch show TASK` */
export async function showTask(context: CommandContext, input: { task: string; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const { id } = await resolveTask(client, input.task);
  const task = await client.get<TaskView>(taskPath(id));
  if (input.json) terminal.json(task);
  else terminal.out(taskLines(task, terminal.view()));
  return exitCodes.ok;
}
