import { resolve } from "node:path";
import type { RecoverableAttempt, Recovery, RecoveryView } from "@dispatch/controller";
import { FactoryError } from "@dispatch/core";
import { type CommandContext, factoryOf } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";
import { shortOid } from "../render/figures.ts";
import { recoveryLines } from "../render/recovery-lines.ts";
import { pickTask } from "../resolve-task.ts";

export interface RecoverInput {
  task: string;
  attempt: number | undefined;
  to: string | undefined;
  into: string | undefined;
  patch: boolean;
  json: boolean;
}

/** `dispatch recover TASK [--attempt N]`: lists what the hub holds, and brings it back. Needs no daemon. */
export async function recoverTask(context: CommandContext, input: RecoverInput): Promise<number> {
  const { terminal, cwd } = context;
  const { openRecovery } = await import("@dispatch/controller");
  const recovery = await openRecovery(await factoryOf(context));
  if (recovery.trouble !== null) terminal.note([`${recovery.trouble}; what follows is what the hubs tell by themselves`]);
  const view = await recovery.look(pickTask(input.task, recovery.tasks).id);
  const into = input.into === undefined ? undefined : resolve(cwd, input.into);
  if (input.patch) {
    terminal.raw(await recovery.patch(view.task, pickAttempt(view, input.attempt)));
    return exitCodes.ok;
  }
  if (input.to !== undefined) return handOver(context, { ...input, into, branch: input.to }, recovery, view);
  if (input.attempt === undefined) {
    if (input.json) terminal.json(view);
    else terminal.out(recoveryLines(view, terminal.view()));
    return exitCodes.ok;
  }
  const attempt = pickAttempt(view, input.attempt);
  const commands = await recovery.commands(view, attempt, into);
  if (input.json) terminal.json({ ...view, attempts: [attempt], commands });
  else terminal.out([...recoveryLines({ ...view, attempts: [attempt] }, terminal.view()), "", "or by hand:", ...commands.map((line) => `  ${line}`)]);
  return exitCodes.ok;
}

async function handOver(
  { terminal }: CommandContext,
  input: Pick<RecoverInput, "attempt" | "into" | "json"> & { branch: string },
  recovery: Recovery,
  view: RecoveryView,
): Promise<number> {
  const attempt = pickAttempt(view, input.attempt);
  const { branch, into } = input;
  const { folder, made } = await recovery.handOver(view.task, attempt, { branch, into });
  if (input.json)
    terminal.json({ task: view.task, attempt: attempt.attempt, ref: attempt.whole?.ref, commit: attempt.whole?.commit, branch, folder, made });
  else
    terminal.out([
      `${terminal.paint.good(made ? "made" : "there already")} branch ${branch} in ${folder}, at ${shortOid(attempt.whole?.commit ?? "")}`,
    ]);
  return exitCodes.ok;
}

/** The attempt with this number; without one the only attempt of which anything is held. */
function pickAttempt({ task, attempts }: RecoveryView, n: number | undefined): RecoverableAttempt {
  const fit = attempts.filter((attempt) => (n === undefined ? attempt.whole !== null : attempt.n === n));
  const [only, another] = fit;
  if (only !== undefined && another === undefined) return only;
  const numbers = attempts.map((attempt) => attempt.n).join(", ");
  if (only !== undefined) {
    throw new FactoryError("USAGE", `the hub holds work of ${fit.length} attempts of ${task}`, {
      fault: "user",
      hint: `name one with --attempt: ${numbers}`,
    });
  }
  const missing = n === undefined ? `the hub holds no work of ${task}` : `${task} has no attempt ${n}`;
  throw new FactoryError("NOT_FOUND", missing, {
    fault: "user",
    hint: attempts.length === 0 ? "no attempt was made yet" : `dispatch recover ${task} lists them: ${numbers}`,
  });
}
