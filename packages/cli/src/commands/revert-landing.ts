import { FactoryError } from "@dispatch/core";
import type { RevertRequest, RevertView, StatusView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { projectPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { shortOid } from "../render/figures.ts";
import { pickTask } from "../resolve-task.ts";

export interface RevertInput {
  landing: string;
  project: string | undefined;
  dryRun: boolean;
  json: boolean;
}

/** `dispatch revert LANDING [--project P] [--dry-run]` */
export async function revertLanding(context: CommandContext, input: RevertInput): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const { project, landing } = nameLanding(input, await client.status());
  const view = await client.post<RevertView>(projectPath(project, "/revert"), { landing, dryRun: input.dryRun } satisfies RevertRequest);
  if (input.json) terminal.json(view);
  else if (!view.planned) terminal.out(view.text.trimEnd().split("\n"));
  else {
    const specs = view.reverts.map(({ specId }) => specId).join(", ");
    terminal.out([
      `${view.task} is planned: it takes back ${specs}, landed as ${shortOid(view.landing)}`,
      ...(view.next === null ? [] : [view.next]),
    ]);
  }
  return exitCodes.ok;
}

const commitName = /^[0-9a-f]{4,40}$/i;

/** A name in lower-case hex is a commit, since every spec id begins with a capital and is never hex alone. */
function nameLanding({ landing, project }: RevertInput, status: StatusView): { project: string; landing: string } {
  const slash = landing.indexOf("/");
  const named = project ?? (slash < 0 ? undefined : landing.slice(0, slash));
  const name = landing.slice(slash + 1);
  if (!commitName.test(name) || status.tasks.some(({ id, project: of }) => id === `${of}/${name}`)) {
    const task = pickTask(named === undefined ? name : `${named}/${name}`, status.tasks);
    return { project: task.project, landing: task.id.slice(task.project.length + 1) };
  }
  const [only, ...others] = status.projects;
  if (named !== undefined) return { project: named, landing: name };
  if (only !== undefined && others.length === 0) return { project: only.id, landing: name };
  throw new FactoryError("USAGE", `${name} is a commit, and there are several projects`, {
    fault: "user",
    hint: `say of which one: dispatch revert ${only?.id ?? "PROJECT"}/${name}`,
  });
}
