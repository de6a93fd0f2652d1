import type { NodeView } from "@dispatch/protocol";
import { plural } from "./figures.ts";
import { isEmptied, sessionNames } from "./node-words.ts";
import { oneLine } from "./text-width.ts";
import type { View } from "./view.ts";

/** How far a machine is from being empty, as one line. */
export function drainText(node: NodeView, { paint }: View): string {
  const { id, state, sessions, fenced, unfetched } = node;
  if (isEmptied(node)) return `${id} is ${paint.good("drained")}: nothing of yours is left there`;
  const left: string[] = [];
  if (sessions.length > 0) left.push(`${plural(sessions.length, "session")} still ${sessions.length === 1 ? "runs" : "run"} (${sessionNames(node)})`);
  if (unfetched.length > 0) left.push(`${plural(unfetched.length, "worktree")} to fetch and remove`);
  if (fenced.length > 0) left.push(`${plural(fenced.length, "fenced attempt")} to fetch`);
  const reach = state.kind === "up" ? "" : `; it is ${state.kind}, and nothing ends there until it is back: ${oneLine(state.because)}`;
  return `${id} is ${paint.warn("draining")}: ${left.join(", ")}${state.kind === "up" ? reach : paint.bad(reach)}`;
}
