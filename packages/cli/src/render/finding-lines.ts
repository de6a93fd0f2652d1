import type { Finding } from "@dispatch/core";
import { oneLine, wrapText } from "./text-width.ts";
import type { View } from "./view.ts";

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
  return `${finding.gate}${place === "" ? "" : ` ${place}`}: ${oneLine(finding.found)}`;
}

/** `src/a.ts:12`; empty when the finding is about no file. */
export function placeOf(finding: Finding): string {
  if (finding.path === undefined) return "";
  return oneLine(finding.line === undefined ? finding.path : `${finding.path}:${finding.line}`);
}
