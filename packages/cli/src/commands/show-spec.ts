import type { SpecView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { taskPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { revisionLines } from "../render/spec-lines.ts";
import { resolveTask } from "../resolve-task.ts";

/** `dispatch spec show TASK`: the text alone on stdout, so that it can be kept as a file. */
export async function showSpec(context: CommandContext, input: { task: string; revision: number | undefined; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const { id } = await resolveTask(client, input.task);
  const spec = await client.get<SpecView>(taskPath(id, input.revision === undefined ? "/spec" : `/spec?revision=${input.revision}`));
  if (input.json) terminal.json(spec);
  else {
    terminal.raw(spec.text);
    terminal.note(revisionLines(spec, terminal.view()));
  }
  return exitCodes.ok;
}
