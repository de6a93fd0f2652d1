import type { AddedNode, DoctorCheck, NodeExamination } from "@dispatch/controller";
import type { NodeView } from "@dispatch/protocol";
import { bytesText, plural } from "./figures.ts";
import type { Paint } from "./paint.ts";
import { oneLine, padText, wrapText } from "./text-width.ts";
import type { View } from "./view.ts";

/** What was found on a machine that was added. */
export function addedLines({ node, entry, survey, nodeVersion }: AddedNode, paint: Paint): string[] {
  const place = typeof entry["ssh_target"] === "string" ? `at ${entry["ssh_target"]}` : "on this machine";
  const has = [
    survey.cpus === null ? undefined : plural(survey.cpus, "core"),
    survey.totalMemoryBytes === null ? undefined : `${bytesText(survey.totalMemoryBytes)} memory`,
    survey.freeDiskBytes === null ? undefined : `${bytesText(survey.freeDiskBytes)} disk free`,
  ].filter((text) => text !== undefined);
  const tools = [nodeVersion === null ? undefined : `Node.js ${nodeVersion}`, survey.git, survey.tmux].filter((text) => typeof text === "string");
  const { host_key: key } = entry;
  return [
    `${paint.good("added")} ${node} ${place}: ${plural(Number(entry["slots"]), "slot")}`,
    `  ${oneLine(has.join(", "))}`,
    `  ${oneLine(tools.join(", "))}`,
    ...(typeof key === "string" ? [`  host key ${key}`] : []),
  ];
}

/** How a running daemon has it; undefined: none runs. */
export function takenUpLine(name: string, node: NodeView | undefined, paint: Paint): string {
  if (node === undefined) return `  try: dispatch node doctor ${name}; a daemon takes it up by itself`;
  if (node.state.kind === "up") return `${paint.good("up")}: the daemon has taken it up`;
  return `${paint.warn(node.state.kind)}: ${oneLine(node.state.because)}`;
}

/** One line per check, and the remedy below each that is not as it should be. */
export function examinationLines({ node, checks }: NodeExamination, view: View): string[] {
  const { paint } = view;
  const shown = checks.filter((check) => check.level !== "skip");
  const width = Math.max(0, ...shown.map(({ check }) => check.length));
  return [paint.strong(node), ...shown.flatMap((check) => checkLines(check, width, view)), `  ${examinationSummary(checks, paint)}`];
}

function checkLines({ check, level, says, remedy }: DoctorCheck, width: number, { columns, paint }: View): string[] {
  const mark = level === "ok" ? paint.good("ok  ") : level === "warn" ? paint.warn("warn") : paint.bad("fail");
  const indent = " ".repeat(width + 9);
  const room = Math.max(30, columns - indent.length);
  const [first = "", ...more] = wrapText(oneLine(says), room);
  const tries = remedy === null ? [] : wrapText(`try: ${oneLine(remedy)}`, room);
  return [`  ${mark} ${padText(check, width)}  ${first}`, ...[...more, ...tries].map((line) => `${indent}${line}`)];
}

function examinationSummary(checks: readonly DoctorCheck[], paint: Paint): string {
  const count = (level: DoctorCheck["level"]): number => checks.filter((check) => check.level === level).length;
  const [failed, warned, skipped] = [count("fail"), count("warn"), checks.filter((check) => check.level === "skip")];
  const rest = failed > 0 && skipped.length > 0 ? paint.faint(`; not looked at: ${skipped.map(({ check }) => check).join(", ")}`) : "";
  if (failed > 0) return `${paint.bad(`${plural(failed, "check")} failed`)}${warned > 0 ? `, ${plural(warned, "warning")}` : ""}${rest}`;
  return warned > 0 ? paint.warn(plural(warned, "warning")) : paint.good("ready");
}
