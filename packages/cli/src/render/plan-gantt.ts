import type { PlanView } from "@dispatch/protocol";
import { minutesText } from "./figures.ts";
import { specIdOf } from "./task-table.ts";
import { fitText, padText } from "./text-width.ts";
import type { View } from "./view.ts";

/** With more tasks than these only waves are drawn. */
const tasksDrawn = 30;
const wavesDrawn = 40;
const nameWidth = 26;
const levels = "▁▂▃▄▅▆▇█";

/** One bar per wave over time, and below it one per task when there are few. */
export function ganttLines(plan: PlanView, view: View, columns: number): string[] {
  const { paint } = view;
  const room = roomOf(columns);
  const lines = [`${paint.faint(padText("WAVE", nameWidth))} ${paint.faint(padText("WORK", 7, "end"))}  ${axis(plan, view, room)}`];
  for (const [i, wave] of plan.waves.slice(0, wavesDrawn).entries()) {
    const name = `${i + 1}  ${wave.tasks.length} task${wave.tasks.length === 1 ? "" : "s"}`;
    lines.push(row(name, wave.minutes, bar(plan, wave.from, wave.to, room, "━"), paint.active));
    if (plan.tasks.length > tasksDrawn) continue;
    for (const task of plan.tasks.filter((one) => one.wave === i + 1)) {
      const critical = plan.critical.tasks.includes(task.id);
      const drawn = bar(plan, task.from, task.to, room, "█");
      lines.push(row(`   ${specIdOf(task.id)}`, task.minutes, drawn, critical ? paint.strong : paint.faint));
    }
  }
  const more = plan.waves.length - wavesDrawn;
  return more > 0 ? [...lines, paint.faint(`… ${more} more waves`)] : lines;
}

/** How many sessions run over time, on the same axis. */
export function widthLine(plan: PlanView, view: View, columns: number): string {
  const room = roomOf(columns);
  const cells = Array.from({ length: room }, (_, i) => {
    const share = averageWithin(plan, (plan.minutes * i) / room, (plan.minutes * (i + 1)) / room) / Math.max(1, plan.width.most);
    return share === 0 ? " " : (levels[Math.min(levels.length - 1, Math.floor(share * levels.length))] ?? " ");
  });
  return `${view.paint.faint(padText("at once", nameWidth))} ${padText(String(plan.width.most), 7, "end")}  ${cells.join("").trimEnd()}`;
}

function row(name: string, minutes: number, drawn: string, paint: (text: string) => string): string {
  return `${padText(fitText(name, nameWidth), nameWidth)} ${padText(minutesText(minutes), 7, "end")}  ${paint(drawn)}`;
}

function roomOf(columns: number): number {
  return Math.max(10, columns - nameWidth - 10);
}

/** Blank up to the start, then at least one cell. */
function bar(plan: PlanView, from: number, to: number, room: number, cell: string): string {
  const scale = plan.minutes === 0 ? 0 : room / plan.minutes;
  const start = Math.min(room - 1, Math.floor(from * scale));
  return " ".repeat(start) + cell.repeat(Math.max(1, Math.min(room, Math.ceil(to * scale)) - start));
}

/** `0` at the left, the middle, and the end at the right. */
function axis(plan: PlanView, view: View, room: number): string {
  const middle = minutesText(plan.minutes / 2);
  const end = minutesText(plan.minutes);
  const left = padText("0", Math.max(2, Math.floor(room / 2)));
  return view.paint.faint(`${left}${padText(middle, Math.max(middle.length, room - left.length - end.length))}${end}`);
}

function averageWithin({ width: { over } }: PlanView, from: number, to: number): number {
  let sum = 0;
  for (const [i, { at, running }] of over.entries()) {
    const until = over[i + 1]?.at ?? at;
    sum += running * Math.max(0, Math.min(to, until) - Math.max(from, at));
  }
  return to > from ? sum / (to - from) : 0;
}
