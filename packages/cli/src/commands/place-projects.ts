import { type CommandContext, clientOf } from "../command-context.ts";
import { projectPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";

/** `dispatch pause [PROJECT]` and `dispatch resume [PROJECT]`; all projects when none is named. */
export async function placeProjects(
  context: CommandContext,
  input: { act: "pause" | "resume"; project: string | undefined; json: boolean },
): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const projects = input.project === undefined ? (await client.status()).projects.map((project) => project.id) : [input.project];
  for (const project of projects) await client.post(projectPath(project, `/${input.act}`));
  if (input.json) terminal.json({ projects });
  else if (projects.length === 0) terminal.out(["no project was started yet"]);
  else terminal.out(projects.map((project) => `${project} ${input.act === "pause" ? "is paused: what runs goes on, nothing new starts" : "runs"}`));
  return exitCodes.ok;
}
