import { errorCode } from "@dispatch/core";
import type { ProjectRow } from "@dispatch/protocol";
import { type CommandContext, factoryOf } from "../command-context.ts";
import { createDaemonClient } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { tableLines } from "../render/table.ts";

/** `dispatch project list`: what is registered, and how it stands when a daemon runs. */
export async function listProjects(context: CommandContext, input: { json: boolean }): Promise<number> {
  const { terminal } = context;
  const factory = await factoryOf(context);
  const { loadFactory } = await import("@dispatch/controller/files");
  const config = await loadFactory(factory);
  const rows = await runningProjects(factory);
  const projects = Object.entries(config.factory.projects).map(([name, { repo, branch, landing }]) => ({
    name,
    repo,
    branch,
    landing,
    placing: rows?.find((row) => row.id === name)?.placing.kind ?? null,
    counts: rows?.find((row) => row.id === name)?.counts ?? null,
  }));
  if (input.json) {
    terminal.json({ daemon: rows !== undefined, projects });
    return exitCodes.ok;
  }
  if (projects.length === 0) {
    terminal.out(["no projects are registered", '  try: dispatch project add NAME --repo PATH_OR_URL --verify "CMD"']);
    return exitCodes.ok;
  }
  const columns = [
    { title: "PROJECT" },
    { title: "STATE" },
    { title: "LANDING" },
    { title: "BRANCH" },
    { title: "TASKS" },
    { title: "REPOSITORY", grow: true },
  ];
  const cells = projects.map(({ name, repo, branch, landing, placing, counts }) => [
    { text: name },
    { text: rows === undefined ? "no daemon" : (placing ?? "not started") },
    { text: landing },
    { text: branch },
    {
      text:
        counts === null
          ? ""
          : Object.entries(counts)
              .map(([state, count]) => `${count} ${state}`)
              .join(", "),
    },
    { text: repo },
  ]);
  const view = terminal.view();
  terminal.out(tableLines(columns, cells, view.columns, view.paint.faint));
  return exitCodes.ok;
}

async function runningProjects(factory: string): Promise<readonly ProjectRow[] | undefined> {
  try {
    return (await createDaemonClient(factory).status()).projects;
  } catch (error) {
    if (errorCode(error) === "DAEMON_UNREACHABLE") return undefined;
    throw error;
  }
}
