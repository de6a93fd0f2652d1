import { coversAny, coversPath, type Finding, type GatePolicy, type TaskSpec } from "@dispatch/core";
import { type Change, submoduleMode, symlinkMode } from "./change.ts";
import { cutText, quoteLine } from "./clean-output.ts";
import type { GateInput } from "./policy.ts";
import { symlinkEscape } from "./symlink-escape.ts";

/**
 * G03: every changed path must be one the spec owns. Deleting needs `deletes` or `modifies`, everything else `creates`
 * or `modifies`; `forbids` wins over all. A symlink must stay inside the repository wherever it stands.
 */
export function judgeScope({ spec, changes, policy }: GateInput): Finding[] {
  return changes.flatMap((change) => {
    const findings: Finding[] = [];
    const outside = scopeFinding(spec, change, policy);
    if (outside !== undefined) findings.push(outside);
    const link = linkFinding(change);
    if (link !== undefined) findings.push(link);
    return findings;
  });
}

function scopeFinding(spec: TaskSpec, change: Change, policy: GatePolicy): Finding | undefined {
  const { path } = change;
  const act = actOf(change);
  const forbidden = spec.forbids.find((pattern) => coversPath(pattern, path));
  if (forbidden !== undefined) {
    return {
      gate: "G03",
      severity: "block",
      path: quoteLine(path),
      found: `${act}, which the spec forbids with ${forbidden}`,
      why: "forbidden paths belong to others; forbids wins over modifies, creates and deletes",
      hint: undoHint(change),
    };
  }
  const allowed = change.kind === "deleted" ? [...spec.deletes, ...spec.modifies] : [...spec.modifies, ...spec.creates];
  if (coversAny(allowed, path) || coversAny(policy.alwaysAllowed, path)) return undefined;
  const owned = [...new Set([...spec.modifies, ...spec.creates, ...spec.deletes])];
  const near = nearest(owned, path);
  return {
    gate: "G03",
    severity: "block",
    path: quoteLine(path),
    found: `${act} outside the paths of the spec (${listOwned(spec)})${near === undefined ? "" : `; nearest: ${near}`}`,
    why: "other tasks may be working on this path at this moment; only the paths of the spec are locked for this one",
    hint: undoHint(change),
  };
}

function actOf(change: Change): string {
  if (change.newMode === symlinkMode && change.kind !== "modified") return "a symbolic link was created";
  if (change.newMode === submoduleMode && change.kind !== "modified") return "a submodule was added";
  switch (change.kind) {
    case "added":
      return "the file was created";
    case "deleted":
      return change.oldMode === submoduleMode ? "the submodule was removed" : "the file was deleted";
    case "modified":
      return "the file was changed";
    case "type-changed":
      return `the type was changed from ${change.oldMode} to ${change.newMode}`;
    case "mode-changed":
      return `the mode was changed from ${change.oldMode} to ${change.newMode}`;
  }
}

function undoHint(change: Change): string {
  if (change.kind === "added") return "delete it, or put its content into a file the spec allows";
  return "put it back as it was at the base, and make the change in a file the spec allows";
}

function listOwned(spec: TaskSpec): string {
  const lists = [
    ["modifies", spec.modifies],
    ["creates", spec.creates],
    ["deletes", spec.deletes],
  ] as const;
  const named = lists.filter(([, paths]) => paths.length > 0).map(([name, paths]) => `${name} ${cutText(paths.join(", "), 400)}`);
  return named.length === 0 ? "it names none" : named.join("; ");
}

/** The entry that shares the most with the path: leading folders first, then the file name, then leading letters. */
function nearest(owned: readonly string[], path: string): string | undefined {
  let best: { entry: string; score: number } | undefined;
  for (const entry of owned) {
    const score = likeness(entry, path);
    if (best === undefined || score > best.score) best = { entry, score };
  }
  return best?.entry;
}

function likeness(entry: string, path: string): number {
  const left = entry.split("/");
  const right = path.split("/");
  let folders = 0;
  while (folders < left.length - 1 && folders < right.length - 1 && left[folders] === right[folders]) folders += 1;
  const sameName = left.at(-1) === right.at(-1) ? 1 : 0;
  let letters = 0;
  while (letters < entry.length && letters < 99 && entry[letters] === path[letters]) letters += 1;
  return folders * 1000 + sameName * 500 + letters;
}

function linkFinding(change: Change): Finding | undefined {
  if (change.newMode !== symlinkMode || change.kind === "mode-changed") return undefined;
  const target = change.addedLines.map((line) => line.text).join("\n");
  const because = change.binary || target === "" ? "its target cannot be read" : symlinkEscape(change.path, target);
  if (because === undefined) return undefined;
  return {
    gate: "G03",
    severity: "block",
    path: quoteLine(change.path),
    found: `a symbolic link to ${quoteLine(target)}: ${because}`,
    why: "a link that leaves the repository reads or writes what does not belong to the project",
    hint: "remove the link, or let it point with a plain relative path to a file of the repository",
  };
}
