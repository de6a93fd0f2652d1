import type { CarMember, ConflictPath, ConflictReport, Oid } from "@dispatch/core";
import { type Collision, isPresent, type PathChange, pathText } from "./compare-deltas.ts";
import { mergeText } from "./merge-text.ts";
import { asOid, type Git } from "./open-git.ts";
import { deltaOf } from "./read-history.ts";

type ChangedBy = ConflictPath["changedBy"][number];

/** A branch, and the main it is to land on. */
type LandingInput = Pick<CarMember, "specId" | "attempt" | "tip" | "base"> & { onto: Oid };

/** The 409 report for a change whose paths main changed since the merge base. */
export async function reportCollisions(git: Git, input: LandingInput, mergeBase: Oid, collisions: readonly Collision[]): Promise<ConflictReport> {
  const changes = await changesOnMain(git, mergeBase, input.onto);
  const merged = await mergeText(git, input.onto, input.tip);
  const clash = collisions.some((collision) => collision.kind === "file-or-folder");
  const names = collisions.map((collision) => pathText(collision.path));
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
    path: pathText(path),
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
    path: pathText(change.path),
    expected,
    actual: onMain === undefined ? expected : blobOf(onMain.newMode, onMain.newOid),
    yours: blobOf(change.newMode, change.newOid),
    changedBy: [],
  };
}

function blobOf(mode: string, oid: Oid): Oid | null {
  return isPresent(mode) ? oid : null;
}

/**
 * Who changed which path of main after a commit, newest first: the merges of specs, also of those that landed together, and
 * the commits of main's first-parent line that no landing made.
 */
async function changesOnMain(git: Git, since: Oid, main: Oid): Promise<Map<string, ChangedBy[]>> {
  const trailer = (key: string) => `%(trailers:key=${key},valueonly,separator=%x20)`;
  const format = `--format=%x02%H%x00%s%x00${trailer("Spec-Id")}%x00${trailer("Spec-Attempt")}%x00${trailer("Train-Id")}`;
  const range = `${asOid(since)}..${asOid(main)}`;
  const shape = ["-z", "--diff-merges=first-parent", "--name-only", "--no-renames", format, range, "--"];
  const doing = `read the log of main since ${since}`;
  const merges = await git.run({ args: ["log", "--merges", ...shape], doing });
  const line = await git.run({ args: ["log", "--first-parent", ...shape], doing });
  const changes = new Map<string, ChangedBy[]>();
  for (const { by, paths } of [...parseNamedLog(merges.stdout, "specs"), ...parseNamedLog(line.stdout, "others")]) {
    for (const path of paths) {
      const known = changes.get(path);
      if (known === undefined) changes.set(path, [by]);
      else known.push(by);
    }
  }
  return changes;
}

/** A commit is `\x02<oid>`, subject, spec id, attempt, train; then its paths, of which the first comes after a line break. */
function parseNamedLog(output: Buffer, which: "specs" | "others"): { by: ChangedBy; paths: string[] }[] {
  const fields = output.toString("latin1").split("\0");
  const commits: { by: ChangedBy; paths: string[] }[] = [];
  let current: string[] | undefined;
  let first = false;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] ?? "";
    if (/^\x02[0-9a-f]{40}$/.test(field)) {
      const [subject = "", spec = "", attempt = "", train = ""] = fields.slice(i + 1, i + 5).map(pathText);
      current = [];
      first = true;
      i += 4;
      if (which === "specs" ? attempt === "" : train !== "") continue;
      commits.push({ by: { commit: field.slice(1), subject, spec: spec === "" ? null : spec }, paths: current });
      continue;
    }
    const path = first && field.startsWith("\n") ? field.slice(1) : field;
    first = false;
    if (path !== "") current?.push(path);
  }
  return commits;
}
