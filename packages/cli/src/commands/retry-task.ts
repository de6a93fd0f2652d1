import type { RetryRequest } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { taskPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { resolveTask } from "../resolve-task.ts";

/** `dispatch retry TASK [--edited]` */
export async function retryTask(context: CommandContext, input: { task: string; edited: boolean; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const { id } = await resolveTask(client, input.task);
  await client.post(taskPath(id, "/retry"), { edited: input.edited } satisfies RetryRequest);
  if (input.json) terminal.json({ task: id });
  else terminal.out([`${id} is planned again${input.edited ? ", with its spec as it is now" : ""}`]);
  return exitCodes.ok;
}
