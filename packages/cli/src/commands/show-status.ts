import { type CommandContext, clientOf } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";
import { projectOf } from "../find-project.ts";
import { fitPainted } from "../render/fit-painted.ts";
import { statusLines } from "../render/status-lines.ts";

/** `dispatch status [PROJECT]` */
export async function showStatus(context: CommandContext, input: { project: string | undefined; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const status = await client.status(input.project);
  if (input.project !== undefined) projectOf(status, input.project);
  const view = terminal.view();
  if (input.json) terminal.json(status);
  else terminal.out(statusLines(status, view).map((line) => fitPainted(line, view.columns)));
  return exitCodes.ok;
}
