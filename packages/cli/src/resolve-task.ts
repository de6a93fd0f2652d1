import { FactoryError } from "@dispatch/core";
import type { TaskRow } from "@dispatch/protocol";
import type { DaemonClient } from "./daemon-client.ts";

/** The task a person means by `PROJECT/S01-x`, `S01-x` or `S01`, as the daemon knows it now. */
export async function resolveTask(client: DaemonClient, name: string): Promise<TaskRow> {
  return pickTask(name, (await client.status()).tasks);
}

type NamedTask = Pick<TaskRow, "id" | "project">;

/**
 * The one task that is named: its whole id, its spec id, or the number before the first dash, with or without
 * the project. Fails with NOT_FOUND, or with USAGE when there are several.
 */
export function pickTask<T extends NamedTask>(name: string, tasks: readonly T[]): T {
  const slash = name.indexOf("/");
  const project = slash < 0 ? undefined : name.slice(0, slash);
  const spec = name.slice(slash + 1);
  const candidates = project === undefined ? tasks : tasks.filter((task) => task.project === project);
  const exact = candidates.filter((task) => specOf(task) === spec);
  const matches = exact.length > 0 ? exact : candidates.filter((task) => specOf(task).split("-", 1)[0] === spec);
  const [only, another] = matches;
  if (only !== undefined && another === undefined) return only;
  const ids = matches.map((task) => task.id);
  if (only !== undefined) {
    throw new FactoryError("USAGE", `${name} names ${ids.length} tasks: ${ids.join(", ")}`, {
      fault: "user",
      hint: `name one of them whole, such as ${only.id}`,
      facts: { matches: ids },
    });
  }
  throw new FactoryError("NOT_FOUND", `there is no task ${name}`, { fault: "user", hint: nearby(spec, candidates) });
}

function nearby(spec: string, tasks: readonly NamedTask[]): string {
  const near = tasks.filter((task) => specOf(task).toLowerCase().includes(spec.toLowerCase())).slice(0, 5);
  return near.length > 0 ? near.map((task) => task.id).join(", ") : "dispatch status lists the tasks; specs become tasks by dispatch feed PROJECT";
}

function specOf(task: NamedTask): string {
  return task.id.slice(task.project.length + 1);
}
