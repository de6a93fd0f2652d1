import { invariant, type Oid } from "@dispatch/core";

/** One path of `diff-tree --raw`. Paths are byte strings (latin1), since git allows any bytes in them. */
export interface PathChange {
  path: string;
  oldMode: string;
  oldOid: Oid;
  newMode: string;
  newOid: Oid;
}

/** The path as it is told to people. */
export function pathText(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

const absentMode = "000000";

export function isPresent(mode: string): boolean {
  return mode !== absentMode;
}

/** Parses the output of `diff-tree -r -z --no-renames --no-abbrev --raw`. */
export function parseRawDiff(output: Buffer): PathChange[] {
  const fields = output.toString("latin1").split("\0");
  const changes: PathChange[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [, oldMode, newMode, oldOid, newOid] = /^:(\d{6}) (\d{6}) ([0-9a-f]{40}) ([0-9a-f]{40}) [A-Z]$/.exec(fields[i] ?? "") ?? [];
    const path = fields[i + 1];
    invariant(oldMode && newMode && oldOid && newOid && path, `unknown line of diff-tree: ${fields[i]}`);
    changes.push({ path, oldMode, oldOid, newMode, newOid });
  }
  return changes;
}

/** The same change as input of `update-index -z --index-info`, deletions first. */
export function indexInfo(delta: readonly PathChange[]): Buffer {
  const ordered = [...delta.filter((change) => !isPresent(change.newMode)), ...delta.filter((change) => isPresent(change.newMode))];
  return Buffer.from(
    ordered.map((change) => `${isPresent(change.newMode) ? change.newMode : "0"} ${change.newOid}\t${change.path}\0`).join(""),
    "latin1",
  );
}

/** Why a change does not fit on main: a path both changed, or a name that is a file on one side and a folder on the other. */
export interface Collision {
  path: string;
  kind: "changed" | "file-or-folder";
  mine: PathChange | undefined;
  main: PathChange | undefined;
}

/**
 * Per-path compare-and-swap: both deltas start at the same tree, so a path of mine is unchanged on main
 * exactly when it is not in main's delta. Since each delta leaves a sound tree, files and folders can clash
 * only between a path I leave present and one that main's delta leaves present.
 */
export function findCollisions(mine: readonly PathChange[], main: readonly PathChange[]): Collision[] {
  const onMain = new Map(main.map((change) => [change.path, change]));
  const present = new Map(main.filter((change) => isPresent(change.newMode)).map((change) => [change.path, change]));
  const below = foldersOf(present.keys());
  const byPath = new Map(mine.map((change) => [change.path, change]));
  const found = new Map<string, Collision>();
  for (const change of mine) {
    const same = onMain.get(change.path);
    if (same !== undefined) found.set(change.path, { path: change.path, kind: "changed", mine: change, main: same });
    if (!isPresent(change.newMode)) continue;
    const clashes = [...(below.get(change.path) ?? []), ...parentsOf(change.path).filter((parent) => present.has(parent))];
    for (const path of clashes) found.set(path, { path, kind: "file-or-folder", mine: byPath.get(path), main: present.get(path) });
    if (clashes.length > 0) found.set(change.path, { path: change.path, kind: "file-or-folder", mine: change, main: same });
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether two deltas change the same paths to the same contents and modes, in any order. */
export function sameDelta(left: readonly PathChange[], right: readonly PathChange[]): boolean {
  const lines = (delta: readonly PathChange[]) =>
    delta.map((change) => `${change.oldMode} ${change.oldOid} ${change.newMode} ${change.newOid}\t${change.path}`).sort();
  const a = lines(left);
  const b = lines(right);
  return a.length === b.length && a.every((line, i) => line === b[i]);
}

/** Every folder of the paths, with the paths below it. */
function foldersOf(paths: Iterable<string>): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    for (const parent of parentsOf(path)) {
      const below = folders.get(parent);
      if (below === undefined) folders.set(parent, [path]);
      else below.push(path);
    }
  }
  return folders;
}

function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) parents.push(path.slice(0, slash));
  return parents;
}
