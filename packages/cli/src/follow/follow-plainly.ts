import type { EventView, StatusView, TaskRow } from "@dispatch/protocol";
import { projectOf } from "../find-project.ts";
import { eventText } from "../render/event-text.ts";
import { settledOf } from "../render/settled.ts";
import { progressLine, projectLine } from "../render/status-lines.ts";
import { nextState, traceLine } from "../render/trace-states.ts";
import { watchEvents } from "../watch-events.ts";
import type { FollowEnd, FollowParts } from "./follow-parts.ts";

/** States in which a project may have come to rest. */
const resting: readonly TaskRow["state"][] = ["merged", "parked", "cancelled", "queued", "planned"];

/** One line per event, for logs and pipes. */
export async function followPlainly(parts: FollowParts): Promise<FollowEnd> {
  const { terminal, client, project, signal } = parts;
  const first = await client.status(project);
  const states = new Map(first.tasks.map((task) => [task.id, task.state]));
  terminal.out([projectLine(projectOf(first, project), terminal.view()), progressLine(first.tasks, terminal.view())]);
  const ended = endOf(first, project);
  if (ended !== undefined) return ended;
  const onReach = (reached: boolean) => terminal.note([reached ? "the daemon is back" : "the daemon does not answer; waiting for it"]);
  let lookAt = 0;
  for await (const stored of watchEvents(client, first.lastSeq, { signal, onReach })) {
    const { subject, project: owner } = eventText(stored.event);
    if (owner === project) await traceEvent(parts, stored, subject, states);
    const state = states.get(subject);
    if (owner !== project || (stored.seq !== lookAt && state !== undefined && !resting.includes(state))) continue;
    const status = await client.status(project);
    const end = endOf(status, project);
    // What the status already knows is still printed before the last word.
    if (end !== undefined && status.lastSeq <= stored.seq) return end;
    lookAt = end === undefined ? 0 : status.lastSeq;
  }
  return undefined;
}

function endOf(status: StatusView, project: string): FollowEnd {
  const row = projectOf(status, project);
  const settled = settledOf(status, row);
  return settled.kind === "going" ? undefined : { settled, project: row };
}

async function traceEvent(parts: FollowParts, stored: EventView, subject: string, states: Map<string, TaskRow["state"]>): Promise<void> {
  const { terminal, client, project } = parts;
  const before = states.get(subject);
  const next = nextState(stored.event);
  const after =
    next === "ask" ? (await client.status(project)).tasks.find((task) => task.id === subject)?.state : next === "unchanged" ? before : next;
  if (after !== undefined) states.set(subject, after);
  if (stored.event.type === "car-planned") for (const member of stored.event.members) states.set(member, "landing");
  terminal.out([traceLine(stored, before, after, terminal.view())]);
}
