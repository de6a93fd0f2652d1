import type { LastCollect } from "@dispatch/core";
import type { CollectView, StatusView, TaskRow } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { type DaemonClient, projectPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { projectOf } from "../find-project.ts";
import { catchInterruption } from "../interruption.ts";
import { collectLines } from "../render/collect-lines.ts";
import { errorLines } from "../render/error-lines.ts";
import { eventText } from "../render/event-text.ts";
import type { Terminal } from "../terminal.ts";
import { watchEvents } from "../watch-events.ts";

/** `dispatch collect PROJECT`: lands what is landable, publishes main, and waits for both; 1 when it stopped. */
export async function collectProject(context: CommandContext, input: { project: string; json: boolean }): Promise<number> {
  const { terminal } = context;
  const { project, json } = input;
  const client = await clientOf(context);
  const before = await client.status(project);
  projectOf(before, project);
  const { requestedAt } = await client.post<CollectView>(projectPath(project, "/collect"));
  const interruption = catchInterruption();
  try {
    const end = await waitForCollect({ client, terminal, project, quiet: json }, before.lastSeq, requestedAt, interruption.signal);
    if (end === undefined) {
      terminal.note(["no longer waiting; the collect goes on", "  try: dispatch status"]);
      return exitCodes.interrupted;
    }
    const landed = newlyMerged(before, end.status);
    if (json) terminal.json({ project, requestedAt, landed: landed.map((row) => row.id), last: end.last });
    else printEnd(terminal, project, landed, end.last);
    return end.last.outcome === "published" ? exitCodes.ok : exitCodes.failed;
  } finally {
    interruption.release();
  }
}

interface Waiting {
  client: DaemonClient;
  terminal: Terminal;
  project: string;
  quiet: boolean;
}

/** The end of the collect that was requested then, with the status after it; undefined when interrupted. */
async function waitForCollect(
  waiting: Waiting,
  after: number,
  requestedAt: number,
  signal: AbortSignal,
): Promise<{ status: StatusView; last: LastCollect } | undefined> {
  const { client, terminal, project, quiet } = waiting;
  const onReach = (reached: boolean) => terminal.note([reached ? "the daemon is back" : "the daemon does not answer; waiting for it"]);
  for await (const { at, event } of watchEvents(client, after, { signal, onReach })) {
    const { subject, project: owner, text } = eventText(event);
    if (owner !== project) continue;
    const ofCollect = "project" in event || event.type === "candidate-refused";
    if (!quiet && ofCollect) terminal.note([terminal.paint.faint(`${terminal.view().timeOf(at)} ${subject}  ${text}`)]);
    if (event.type !== "main-published" && event.type !== "collect-stopped") continue;
    const status = await client.status(project);
    const { collect } = projectOf(status, project);
    if (collect.kind === "idle" && collect.last !== null && collect.last.requestedAt >= requestedAt) return { status, last: collect.last };
  }
  return undefined;
}

function newlyMerged(before: StatusView, after: StatusView): TaskRow[] {
  const merged = new Set(before.tasks.filter((row) => row.state === "merged").map((row) => row.id));
  return after.tasks.filter((row) => row.state === "merged" && !merged.has(row.id));
}

function printEnd(terminal: Terminal, project: string, landed: readonly TaskRow[], last: LastCollect): void {
  terminal.out(collectLines(project, landed, last, terminal.view()));
  if (last.outcome === "stopped") {
    terminal.note(
      errorLines({ code: last.code, message: `the collect of ${project} stopped: ${last.because}`, hint: last.hint, facts: {} }, terminal.paint),
    );
  }
}
