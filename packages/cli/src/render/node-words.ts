import type { NodeView } from "@dispatch/protocol";
import { ageText, bytesText, plural } from "./figures.ts";
import type { Paint } from "./paint.ts";
import { specIdOf } from "./task-table.ts";
import type { View } from "./view.ts";

/** `up`, `up, cordoned`, `up, drained`, `down, draining`, `lost`. */
export function nodeState(node: NodeView): string {
  const { state, closed } = node;
  if (closed === null || closed.kind === "lost")
    return node.resting === null || state.kind !== "lost" ? state.kind : `${state.kind}, ${restText(node)}`;
  if (closed.kind === "pressure") return `${state.kind}, short of room`;
  return `${state.kind}, ${closed.kind === "leaving" ? "leaving" : restText(node)}`;
}

function restText(node: NodeView): string {
  if (node.resting?.drain !== true) return "cordoned";
  return isEmptied(node) ? "drained" : "draining";
}

/** Whether nothing of ours is left there that is not in the hub. */
export function isEmptied({ sessions, fenced, unfetched }: NodeView): boolean {
  return sessions.length + fenced.length + unfetched.length === 0;
}

export function nodePaint({ state, closed }: NodeView, paint: Paint): (text: string) => string {
  if (state.kind === "down" || state.kind === "lost") return paint.bad;
  return state.kind === "connecting" || closed !== null ? paint.warn : paint.good;
}

/** Why it is not simply up, as a clause; empty when it is. */
export function nodeTrouble(node: NodeView, view: View): string {
  const { state, closed, resting, fenced } = node;
  const facts: string[] = [];
  if (state.kind !== "up") facts.push(`${state.because} (${ageText(state.since, view.now)})`);
  if (closed !== null && closed.kind !== "lost" && resting === null) facts.push(closed.because);
  if (resting !== null) facts.push(`${resting.drain ? "drained" : "cordoned"} by ${resting.by} ${ageText(resting.since, view.now)} ago`);
  if (fenced.length > 0) facts.push(`${plural(fenced.length, "fenced attempt")} to fetch`);
  return facts.join("; ");
}

/** `S01-schema S02-cart`, with the project where there are several. */
export function sessionNames(node: NodeView): string {
  const projects = new Set(node.sessions.map(({ task }) => task.slice(0, task.indexOf("/"))));
  return node.sessions.map(({ task }) => (projects.size > 1 ? task : specIdOf(task))).join(" ");
}

/** `ssh2 deploy@gpu-1`, `local`; the target alone while nothing carries it. */
export function linkText({ link }: NodeView): string {
  if (link === null) return "";
  if (link.target === null) return "local";
  return link.transport === null ? link.target : `${link.transport === "existing" ? "your ssh" : link.transport} ${link.target}`;
}

/** `3.1 of 16 GiB free`, in the unit of the whole. */
export function freeText(free: number, total: number): string {
  const whole = bytesText(total);
  const unit = whole.slice(whole.indexOf(" ") + 1);
  const part = bytesText(free);
  return part.endsWith(unit) ? `${part.slice(0, part.indexOf(" "))} of ${whole} free` : `${part} of ${whole} free`;
}
