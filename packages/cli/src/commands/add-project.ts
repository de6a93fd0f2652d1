import { type CommandContext, factoryOf } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";

export interface AddProjectInput {
  name: string;
  repo: string;
  branch: string;
  verify: readonly string[];
  landing: "continuous" | "on-collect";
  executor: string | undefined;
  json: boolean;
}

/** `dispatch project add NAME` */
export async function addProject(context: CommandContext, input: AddProjectInput): Promise<number> {
  const { terminal } = context;
  const factory = await factoryOf(context);
  const controller = await import("@dispatch/controller/files");
  const { name, repo, branch, verify, landing, executor } = input;
  const added = await controller.addProject(factory, {
    name,
    repo,
    branch,
    verify: [...verify],
    landing,
    ...(executor === undefined ? {} : { executor }),
  });
  if (input.json) terminal.json(added);
  else {
    terminal.note(added.warnings.map((warning) => `${terminal.paint.warn("warning:")} ${warning}`));
    terminal.out([
      `${terminal.paint.good("added")} ${added.project}: ${added.repo} (${branch}, lands ${landing === "continuous" ? "continuously" : "on collect"})`,
    ]);
    terminal.out([`  try: put specs into specs/pending (specs/examples shows one), dispatch lint, then dispatch start ${added.project} --follow`]);
  }
  return exitCodes.ok;
}
