import { FactoryError } from "@dispatch/core";
import type { WhyAllView, WhyView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { taskPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { whyAllLines, whyLines } from "../render/why-lines.ts";
import { resolveTask } from "../resolve-task.ts";

export interface WhyInput {
  task: string | undefined;
  all: boolean;
  project: string | undefined;
  json: boolean;
}

/** `dispatch why TASK`, `dispatch why --all [--project P]` */
export async function explainTask(context: CommandContext, input: WhyInput): Promise<number> {
  const { terminal } = context;
  if ((input.task === undefined) !== (input.all || input.project !== undefined)) {
    throw new FactoryError("USAGE", input.task === undefined ? "no task was named" : "a task was named together with --all or --project", {
      fault: "user",
      hint: "dispatch why TASK, or dispatch why --all [--project NAME]",
    });
  }
  const client = await clientOf(context);
  if (input.task === undefined) {
    const query = input.project === undefined ? "" : `?project=${encodeURIComponent(input.project)}`;
    const all = await client.get<WhyAllView>(`/why${query}`);
    if (input.json) terminal.json(all);
    else terminal.out(whyAllLines(all, terminal.view()));
    return exitCodes.ok;
  }
  const { id } = await resolveTask(client, input.task);
  const why = await client.get<WhyView>(taskPath(id, "/why"));
  if (input.json) terminal.json(why);
  else terminal.out(whyLines(why, terminal.view()));
  return exitCodes.ok;
}
