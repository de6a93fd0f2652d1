import type { WhyAllView, WhyView } from "@dispatch/protocol";
import { causeLines, standingLines } from "./cause-lines.ts";
import { ageText, plural } from "./figures.ts";
import { troubleLines } from "./status-lines.ts";
import { specIdOf } from "./task-table.ts";
import { oneLine } from "./text-width.ts";
import type { View } from "./view.ts";

/** Why a task is where it is, what it waits for in the end, and what moves it. */
export function whyLines(why: WhyView, view: View): string[] {
  const { paint } = view;
  const lines = [`${paint.strong(why.task)} is ${why.state}`, `  because  ${oneLine(why.because)}`];
  for (const link of why.chain.slice(1)) lines.push(`           ${paint.faint("and")} ${specIdOf(link.task)}: ${oneLine(link.because)}`);
  const release = releaseOf(why);
  if (release !== "") lines.push(`  moves    ${oneLine(release)}`);
  if (why.expectedStart !== null && why.expectedStart > view.now)
    lines.push(`  expected ${view.timeOf(why.expectedStart)}, in about ${ageText(view.now, why.expectedStart)}, if all goes well`);
  const others = why.root.tasks.filter((id) => id !== why.task).length;
  if (others > 0) lines.push(`  ${paint.faint(`${plural(others, "other task")} wait${others === 1 ? "s" : ""} for the same: dispatch why --all`)}`);
  for (const row of why.forecast) lines.push(`  ${paint.warn("coming")}   ${oneLine(row.text)}`);
  return [...lines, ...why.troubles.flatMap((trouble) => troubleLines(trouble, view)).map((line) => `  ${line}`)];
}

/** The lead is told what to do at the root; what the factory does by itself ends with what the task waits for directly. */
function releaseOf({ chain, release, root }: WhyView): string {
  if (chain.length <= 1 || root.release === "") return release;
  return root.needs === "lead" || root.needs === "nobody" ? root.release : `${release}; first: ${root.release}`;
}

/** Every unfinished task, by what it waits for in the end. */
export function whyAllLines(why: WhyAllView, view: View): string[] {
  if (why.unfinished === 0) return ["nothing is left to do"];
  const alarms = why.standings.flatMap((standing) => standingLines({ ...standing, causes: [] }, view));
  const head = `${plural(why.unfinished, "task")} left, ${plural(why.causes.length, "cause")}`;
  return [...alarms, view.paint.strong(head), ...why.causes.flatMap((cause) => ["", ...causeLines(cause, view)])];
}
