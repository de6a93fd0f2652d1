import type { Finding } from "@dispatch/core";
import { oneLine, wrapText } from "./text-width.ts";
import type { View } from "./view.ts";

const headLimit = 200;

/** One finding: where and what, then why, then what to do. */
export function findingLines(finding: Finding, view: View, indent: string): string[] {
  const { paint } = view;
  const place = placeOf(finding);
  const gate = finding.severity === "block" ? paint.bad(finding.gate) : paint.faint(finding.gate);
  const width = Math.max(20, view.columns - indent.length - 2);
  const lines = [`${indent}${gate}${place === "" ? "" : ` ${place}`}`];
  for (const text of [finding.found, finding.why]) if (text !== "") lines.push(...wrapText(text, width).map((line) => `${indent}  ${line}`));
  if (finding.hint !== "") lines.push(...wrapText(`try: ${finding.hint}`, width).map((line) => `${indent}  ${line}`));
  return lines;
}

/** `G03 src/a.ts:12: what was found` */
export function findingText(finding: Finding): string {
  const place = placeOf(finding);
  return `${finding.gate}${place === "" ? "" : ` ${place}`}: ${findingHead(finding)}`;
}

/** The first two lines of what was found, on one line: enough to know it, without the output it quotes. */
export function findingHead(finding: Finding): string {
  const lines = finding.found.split("\n").map((line) => line.trim());
  return oneLine(
    lines
      .filter((line) => line !== "")
      .slice(0, 2)
      .join(" "),
  ).slice(0, headLimit);
}

/** `src/a.ts:12`; empty when the finding is about no file. */
export function placeOf(finding: Finding): string {
  if (finding.path === undefined) return "";
  return oneLine(finding.line === undefined ? finding.path : `${finding.path}:${finding.line}`);
}
