import type { ConflictPath, ConflictReport, LandingInput, Oid } from "@dispatch/core";
import { type Collision, isPresent, type PathChange } from "./compare-deltas.ts";
import { mergeText } from "./merge-text.ts";
import { asOid, type Git } from "./open-git.ts";
import { deltaOf } from "./read-history.ts";

type ChangedBy = ConflictPath["changedBy"][number];

/** The 409 report for a change whose paths main changed since the merge base. */
export async function reportCollisions(git: Git, input: LandingInput, mergeBase: Oid, collisions: readonly Collision[]): Promise<ConflictReport> {
  const changes = await changesOnMain(git, mergeBase, input.onto);
  const merged = await mergeText(git, input.onto, input.tip);
  const clash = collisions.some((collision) => collision.kind === "file-or-folder");
  const names = collisions.map((collision) => decode(collision.path));
  const shown = names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ");
  return {
    code: 409,
    spec: input.specId,
    attempt: input.attempt,
    base: mergeBase,
    main: input.onto,
    kind: clash ? "df_conflict" : "stale_base",
    textMerge: merged.outcome,
    paths: collisions.map((collision) => conflictPath(collision, changes.get(collision.path) ?? [])),
    hint: clash
      ? `${shown}: a file on one side is a folder on the other; build on main ${input.onto.slice(0, 12)}`
      : `main changed ${shown} since ${mergeBase.slice(0, 12)}; build on main ${input.onto.slice(0, 12)}`,
  };
}

function conflictPath({ path, mine, main }: Collision, changedBy: readonly ChangedBy[]): ConflictPath {
  const old = mine ?? main;
  return {
    path: decode(path),
    expected: old === undefined ? null : blobOf(old.oldMode, old.oldOid),
    actual: main === undefined ? null : blobOf(main.newMode, main.newOid),
    yours: mine === undefined ? null : blobOf(mine.newMode, mine.newOid),
    changedBy,
  };
}

/** The 409 report for a history that has no single merge base with main: every path of the change is named. */
export async function reportForeignHistory(git: Git, input: LandingInput): Promise<ConflictReport> {
  const mine = await deltaOf(git, input.base, input.tip);
  const main = new Map((await deltaOf(git, input.base, input.onto)).map((change) => [change.path, change]));
  return {
    code: 409,
    spec: input.specId,
    attempt: input.attempt,
    base: input.base,
    main: input.onto,
    kind: "stale_base",
    textMerge: "conflict",
    paths: mine.map((change) => foreignPath(change, main.get(change.path))),
    hint: `the branch has no single merge base with main; build on main ${input.onto.slice(0, 12)} and leave its history as it is`,
  };
}

function foreignPath(change: PathChange, onMain: PathChange | undefined): ConflictPath {
  const expected = blobOf(change.oldMode, change.oldOid);
  return {
    path: decode(change.path),
    expected,
    actual: onMain === undefined ? expected : blobOf(onMain.newMode, onMain.newOid),
    yours: blobOf(change.newMode, change.newOid),
    changedBy: [],
  };
}

function blobOf(mode: string, oid: Oid): Oid | null {
  return isPresent(mode) ? oid : null;
}

/** The commits of main's first-parent line after a commit, newest first, by the paths each changed. */
async function changesOnMain(git: Git, since: Oid, main: Oid): Promise<Map<string, ChangedBy[]>> {
  const format = "--format=%x02%H%x00%s%x00%(trailers:key=Spec-Id,valueonly,separator=%x20)";
  const { stdout } = await git.run({
    args: [
      "log",
      "-z",
      "--first-parent",
      "--diff-merges=first-parent",
      "--name-only",
      "--no-renames",
      format,
      `${asOid(since)}..${asOid(main)}`,
      "--",
    ],
    doing: `read the log of main since ${since}`,
  });
  return parseNamedLog(stdout);
}

/** A commit is `\x02<oid>`, subject, spec id; then its paths, of which the first comes after a line break. */
function parseNamedLog(output: Buffer): Map<string, ChangedBy[]> {
  const fields = output.toString("latin1").split("\0");
  const changes = new Map<string, ChangedBy[]>();
  let by: ChangedBy | undefined;
  let first = false;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] ?? "";
    if (/^\x02[0-9a-f]{40}$/.test(field)) {
      const spec = decode(fields[i + 2] ?? "");
      by = { commit: field.slice(1), subject: decode(fields[i + 1] ?? ""), spec: spec === "" ? null : spec };
      first = true;
      i += 2;
      continue;
    }
    const path = first && field.startsWith("\n") ? field.slice(1) : field;
    first = false;
    if (by === undefined || path === "") continue;
    const known = changes.get(path);
    if (known === undefined) changes.set(path, [by]);
    else known.push(by);
  }
  return changes;
}

/** Byte strings as people read them. */
function decode(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
