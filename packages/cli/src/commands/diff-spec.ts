import { FactoryError } from "@dispatch/core";
import type { SpecView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { taskPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { diffLines } from "../render/diff-lines.ts";
import { paintDiff } from "../render/spec-lines.ts";
import { resolveTask } from "../resolve-task.ts";

export interface DiffSpecInput {
  task: string;
  from: number | undefined;
  to: number | undefined;
  json: boolean;
}

/** `dispatch spec diff TASK [--from N --to M]` */
export async function diffSpec(context: CommandContext, input: DiffSpecInput): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const { id } = await resolveTask(client, input.task);
  const after = await client.get<SpecView>(taskPath(id, input.to === undefined ? "/spec" : `/spec?revision=${input.to}`));
  const from = input.from ?? after.revision - 1;
  if (from < 1) {
    throw new FactoryError("NOT_FOUND", `${id} has no revision before ${after.revision}`, { fault: "user", hint: `dispatch spec show ${id}` });
  }
  const before = await client.get<SpecView>(taskPath(id, `/spec?revision=${from}`));
  const { compareSpecs } = await import("@dispatch/controller");
  const changed = compareSpecs(before.text, after.text, after.path);
  const diff = diffLines(before.text, after.text, { before: `${after.path} revision ${from}`, after: `${after.path} revision ${after.revision}` });
  if (input.json) terminal.json({ task: id, from, to: after.revision, changed, before: before.text, after: after.text, diff });
  else {
    terminal.out(paintDiff(diff, terminal.paint));
    terminal.note([changed.length === 0 ? "the two are equal" : `changed: ${changed.join(", ")}`]);
  }
  return exitCodes.ok;
}
