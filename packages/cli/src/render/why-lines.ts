import type { WhyView } from "@dispatch/protocol";
import { troubleLines } from "./status-lines.ts";
import { oneLine } from "./text-width.ts";
import type { View } from "./view.ts";

/** Why a task is where it is, and what moves it. */
export function whyLines(why: WhyView, view: View): string[] {
  const { paint } = view;
  const lines = [`${paint.strong(why.task)} is ${why.state}`, `  because  ${oneLine(why.because)}`];
  if (why.release !== "") lines.push(`  moves    ${oneLine(why.release)}`);
  return [...lines, ...why.troubles.flatMap((trouble) => troubleLines(trouble, view)).map((line) => `  ${line}`)];
}
