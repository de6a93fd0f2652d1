import { type CommandContext, factoryOf } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";
import { planLines } from "../render/plan-lines.ts";

export interface PlanInput {
  project: string;
  slots: number | undefined;
  json: boolean;
}

/** `dispatch plan PROJECT [--slots N]`: 1 when something can never start, or a spec file has errors. */
export async function planProject(context: CommandContext, input: PlanInput): Promise<number> {
  const { terminal } = context;
  const factory = await factoryOf(context);
  const controller = await import("@dispatch/controller");
  const plan = await controller.planProject(factory, input.project, input.slots);
  if (input.json) terminal.json(plan);
  else terminal.out(planLines(plan, terminal.view()));
  return plan.never.length === 0 && plan.problems.every((problem) => problem.severity !== "error") ? exitCodes.ok : exitCodes.failed;
}
