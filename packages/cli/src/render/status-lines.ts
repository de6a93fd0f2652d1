import type { LastCollect, NodeClosure } from "@dispatch/core";
import type { CarRow, NodeRow, ProjectRow, StatusView, TaskRow, TroubleRow } from "@dispatch/protocol";
import { signalLines, standingLines } from "./cause-lines.ts";
import { ageText, barText, plural, shortOid, sumTokens, tokensText } from "./figures.ts";
import type { Paint } from "./paint.ts";
import { sortRows, taskTable } from "./task-table.ts";
import { fitText, oneLine } from "./text-width.ts";
import type { View } from "./view.ts";

/** The whole factory, or what the daemon was asked for, as lines. */
export function statusLines(status: StatusView, view: View): string[] {
  const lines: string[] = [];
  if (status.draining) lines.push(view.paint.warn("draining: nothing new starts, and the daemon ends when all sessions have ended"), "");
  const standing = status.standings.flatMap((row) => standingLines(row, view));
  if (standing.length > 0) lines.push(...standing, "");
  for (const project of status.projects) {
    const rows = status.tasks.filter((task) => task.project === project.id);
    lines.push(projectLine(project, view), progressLine(rows, view), ...trainLines(project, view));
    if (rows.length > 0) lines.push("", ...taskTable(sortRows(rows), view));
    lines.push("");
  }
  if (status.projects.length === 0)
    lines.push("no project was started yet", `  ${view.paint.faint("try: dispatch project add, then dispatch start PROJECT")}`, "");
  lines.push(
    slotsLine(status, view),
    ...signalLines(status.signals, view),
    ...forecastLines(status.forecast, view),
    ...status.troubles.flatMap((trouble) => troubleLines(trouble, view)),
  );
  return lines;
}

/** `shop  running · lands continuously · main 1a2b3c4d5`, with what holds it up. */
export function projectLine(project: ProjectRow, view: View): string {
  const { paint } = view;
  const facts = [
    project.placing.kind === "running" ? "running" : paint.warn(`paused by ${oneLine(project.placing.by)}`),
    project.policy === "continuous" ? "lands continuously" : "lands on collect",
    `main ${shortOid(project.main)}`,
  ];
  if (project.landing.kind === "frozen") facts.push(paint.bad(`landing frozen: ${oneLine(project.landing.because)}`));
  if (project.collect.kind !== "idle") facts.push(paint.active(`collect ${project.collect.kind}`));
  else if (project.collect.last?.outcome === "published") facts.push(publishedWords(project.collect.last));
  else if (project.collect.last?.outcome === "stopped") facts.push(paint.bad(`collect stopped: ${oneLine(project.collect.last.because)}`));
  return `${paint.strong(project.id)}  ${facts.join(" · ")}`;
}

const carWords: Readonly<Record<CarRow["state"], string>> = {
  building: "is built",
  running: "is tested",
  passed: "is green",
  red: "is red",
  advancing: "lands",
};

/** `train  car 3 lands: S01 · car 4 behind 3 is tested: S02, S05 · part 5 is built: S06`; nothing when nothing is on its way. */
function trainLines({ train }: ProjectRow, { paint, columns }: View): string[] {
  if (train.length === 0) return [];
  const cars = train.map(({ id, kind, state, members, ahead }) => {
    const names = members.map((task) => task.slice(task.indexOf("/") + 1));
    const place = ahead.length === 0 ? "" : ` behind ${ahead.join(", ")}`;
    return `${kind} ${id}${place} ${carWords[state]}: ${names.join(", ")}`;
  });
  return [`${paint.faint("train")}  ${fitText(cars.join(" · "), columns - "train  ".length)}`];
}

const forecastsShown = 8;

/** `! S03 and S05 both change src/a.ts (conflict in text): S05 will have to be redone on top of S03` */
export function forecastLines({ conflicts, uncompared }: StatusView["forecast"], view: View): string[] {
  const shown = conflicts.slice(0, forecastsShown).map((row) => `${view.paint.warn("coming:")} ${oneLine(row.text)}`);
  const more = conflicts.length - shown.length + uncompared;
  return more === 0 ? shown : [...shown, `  ${view.paint.faint(`and ${more} more pairs of tasks with paths in common`)}`];
}

function publishedWords({ commit, url, watched }: Extract<LastCollect, { outcome: "published" }>): string {
  const tests = watched === undefined ? "" : `, ${watched} there`;
  return `published ${shortOid(commit)}${url === undefined ? "" : ` by ${oneLine(url)}`}${tests}`;
}

/** A bar of what is merged, and the tasks by state. Cancelled tasks do not count. */
export function progressLine(rows: readonly TaskRow[], view: View): string {
  const { paint } = view;
  const counts = countBy(sortRows(rows).map((row) => row.display));
  const merged = counts.get("merged") ?? 0;
  const all = rows.length - (counts.get("cancelled") ?? 0);
  const bar = barText(merged, all, Math.max(8, Math.min(30, Math.floor(view.columns / 4))));
  const others = [...counts].filter(([state]) => state !== "merged").map(([state, count]) => `${count} ${state}`);
  const text = fitText([`${merged}/${all} merged`, ...others].join(" · "), view.columns - bar.done.length - bar.rest.length - 2);
  return `${paint.good(bar.done)}${paint.faint(bar.rest)}  ${text}`;
}

/** `slots  local 3/4  gpu-1 down: no route to host · tokens 12.0k in, 900 out · done in about 3m07s` */
export function slotsLine(status: StatusView, view: View): string {
  const { paint } = view;
  const nodes = status.nodes.map((node) => [`${node.id} ${node.used}/${node.slots}`, ...shutWords(node, paint)].join(" "));
  const parts = [nodes.length === 0 ? paint.bad("no nodes") : nodes.join("  ")];
  const tokens = tokensText(sumTokens(status.tasks.map((row) => row.tokens)));
  if (tokens !== "") parts.push(`tokens ${tokens}`);
  if (status.eta !== null) parts.push(`done in about ${ageText(view.now, status.eta)}`);
  return `${paint.faint("slots")}  ${parts.join(" · ")}`;
}

/** What is fenced on a machine, and why it takes no tasks; nothing for one that is simply up. */
function shutWords({ status, closed, fenced }: NodeRow, paint: Paint): string[] {
  const words: string[] = [];
  if (fenced > 0) words.push(paint.warn(`(${fenced} fenced)`));
  if (closed !== null) words.push(closed.kind === "lost" ? paint.bad(`lost: ${oneLine(closed.because)}`) : paint.warn(closedText(closed)));
  if (status.kind === "down" && closed?.kind !== "lost") words.push(paint.bad(`down: ${oneLine(status.because)}`));
  return words;
}

function closedText({ kind, because }: NodeClosure): string {
  switch (kind) {
    case "cordoned":
    case "lost":
      return oneLine(because);
    case "draining":
      return `draining, ${oneLine(because)}`;
    case "pressure":
      return `short of room: ${oneLine(because)}`;
    case "leaving":
      return `leaving: ${oneLine(because)}`;
  }
}

/** What goes wrong just now and is tried again. */
export function troubleLines(trouble: TroubleRow, view: View): string[] {
  const { paint } = view;
  const next = trouble.nextAt > view.now ? `again in ${ageText(view.now, trouble.nextAt)}` : "trying again";
  const lines = [
    paint.bad(`! ${trouble.effect}: ${oneLine(trouble.message)} (${trouble.code}, failed ${plural(trouble.failures, "time")}, ${next})`),
  ];
  if (trouble.hint !== null) lines.push(`  try: ${oneLine(trouble.hint)}`);
  return lines;
}

function countBy(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
