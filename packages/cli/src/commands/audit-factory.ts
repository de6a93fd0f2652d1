import { type CommandContext, factoryOf } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";
import { auditLines } from "../render/audit-lines.ts";

/** `dispatch audit [PROJECT]`: 0 when nothing is lost, 1 when something is. */
export async function auditFactory(context: CommandContext, input: { project: string | undefined; json: boolean }): Promise<number> {
  const { terminal } = context;
  const factory = await factoryOf(context);
  const controller = await import("@dispatch/controller");
  const report = await controller.auditFactory(factory, input.project);
  if (input.json) terminal.json(report);
  else terminal.out(auditLines(report, terminal.view()));
  return report.whole ? exitCodes.ok : exitCodes.failed;
}
