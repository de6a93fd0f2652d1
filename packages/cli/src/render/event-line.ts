import type { StoredEvent } from "@dispatch/core";
import { eventText } from "./event-text.ts";
import { fitText } from "./text-width.ts";
import type { View } from "./view.ts";

/** `12:03:11 #42 shop/S01-x task-placed  attempt 1 on local with rehearsal`; whole when `columns` is infinite. */
export function eventLine(stored: StoredEvent, view: View): string {
  const { subject, text } = eventText(stored.event);
  const head = `${view.timeOf(stored.at)} #${stored.seq} ${subject}`;
  const type = stored.event.type;
  const rest = fitText(text, Math.max(0, view.columns - head.length - type.length - 3));
  return `${view.paint.faint(`${view.timeOf(stored.at)} #${stored.seq}`)} ${subject} ${view.paint.active(type)}  ${rest}`;
}
