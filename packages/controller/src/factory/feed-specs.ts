import { mkdir, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FactoryError, taskIdOf } from "@dispatch/core";
import type { SpecFile } from "@dispatch/engine";
import { type FeedView, factoryPaths, type SpecProblem } from "@dispatch/protocol";
import type { ParsedFile } from "@dispatch/spec";
import type { LiveSettings } from "../config/settings.ts";
import { checkSpecs, digestOf, type FeedParts, readSpecText } from "./check-specs.ts";
import { type FoundSpec, findSpecFiles } from "./find-spec-files.ts";

/**
 * Takes the verified specs of a project from specs/pending and specs/PROJECT into the ledger, in one commit.
 * A file with errors, and every file that depends on it, is left out and named. Files of specs/pending move to
 * specs/PROJECT once their tasks are recorded. Throws SPEC_INVALID when there are files and none is fit.
 */
export async function feedSpecs(parts: FeedParts, project: string, by: string): Promise<FeedView> {
  const source = parts.settings.sourceOf(project);
  if (source === undefined) {
    throw new FactoryError("NOT_FOUND", `project ${project} is not registered`, {
      fault: "user",
      hint: `dispatch project add ${project} --repo PATH_OR_URL --verify "CMD"`,
    });
  }
  // Before the files are read: a text that is older than an edit taken in meanwhile must not undo it.
  const bases = new Map([...parts.world.tasks.values()].map((task) => [task.id, task.revision]));
  const found = await findSpecFiles(parts.dir, project);
  const mine = found
    .map((file) => readSpecText(project, file))
    .filter((file) => !isInbox(file.file) || !belongsElsewhere(parts.settings, file, project));
  const checked = await checkSpecs(parts, source, mine);
  if (checked.fit.length === 0 && checked.problems.some((problem) => problem.severity === "error")) throw specInvalid(project, checked.problems);
  const texts = new Map(mine.map(({ file, text }) => [file, text]));
  const files = checked.fit.map((file): SpecFile => {
    const text = texts.get(file.file) ?? "";
    const { spec } = file.parsed;
    const base = bases.get(taskIdOf(spec.project, spec.id));
    return { spec, digest: digestOf(text), text, path: settledPath(project, file.file), ...(base === undefined ? {} : { base }) };
  });
  const report = await parts.commands.feed(files, by);
  const taken = new Set(files.map((file) => file.path));
  return {
    ...report,
    moved: await settle(parts.dir, project, found, taken),
    refused: mine.filter((file) => !taken.has(settledPath(project, file.file))).map((file) => file.file),
    problems: checked.problems,
  };
}

/** A spec of the inbox that another project takes in. One that names no project we know is everybody's concern. */
function belongsElsewhere(settings: LiveSettings, { parsed }: ParsedFile, project: string): boolean {
  return parsed.outcome === "parsed" && parsed.spec.project !== project && settings.sourceOf(parsed.spec.project) !== undefined;
}

function specInvalid(project: string, problems: readonly SpecProblem[]): FactoryError {
  const errors = problems.filter((problem) => problem.severity === "error").length;
  return new FactoryError("SPEC_INVALID", `no spec of ${project} is fit to run: ${errors} error${errors === 1 ? "" : "s"}; nothing was fed`, {
    fault: "user",
    hint: `mend the files, then dispatch feed ${project}`,
    facts: { problems },
  });
}

function isInbox(path: string): boolean {
  return path.startsWith(`${factoryPaths.pendingSpecs}/`);
}

function settledPath(project: string, path: string): string {
  return isInbox(path) ? `${factoryPaths.specs}/${project}/${basename(path)}` : path;
}

async function settle(dir: string, project: string, found: readonly FoundSpec[], taken: ReadonlySet<string>): Promise<string[]> {
  const moved: string[] = [];
  for (const { path, inbox } of found) {
    const target = settledPath(project, path);
    if (!inbox || !taken.has(target)) continue;
    await mkdir(dirname(join(dir, target)), { recursive: true });
    await rename(join(dir, path), join(dir, target));
    moved.push(target);
  }
  return moved;
}
