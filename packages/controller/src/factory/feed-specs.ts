import { createHash } from "node:crypto";
import { mkdir, readFile, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FactoryError, type Oid, type Repositories, type Task, type World } from "@dispatch/core";
import type { Commands, SpecFile } from "@dispatch/engine";
import { type FeedView, factoryPaths, type SpecProblem } from "@dispatch/protocol";
import {
  defaultProtectedPaths,
  knownTaskOf,
  type LintFacts,
  lintSpecs,
  type ParsedFile,
  type Problem,
  parseSpec,
  type ReadableFile,
  verifiedFiles,
} from "@dispatch/spec";
import type { LiveSettings } from "../config/settings.ts";
import { type FoundSpec, findSpecFiles } from "./find-spec-files.ts";

export interface FeedParts {
  dir: string;
  world: World;
  commands: Commands;
  settings: LiveSettings;
  repositories: Pick<Repositories, "listFiles" | "openHub">;
}

/**
 * Takes the verified specs of a project from specs/pending and specs/PROJECT into the ledger, in one commit.
 * A file with errors, and every file that depends on it, is left out and named. Files of specs/pending move to
 * specs/PROJECT once their tasks are recorded. Throws SPEC_INVALID when there are files and none is fit.
 */
export async function feedSpecs(parts: FeedParts, project: string): Promise<FeedView> {
  const source = parts.settings.sourceOf(project);
  if (source === undefined) {
    throw new FactoryError("NOT_FOUND", `project ${project} is not registered`, {
      fault: "user",
      hint: `dispatch project add ${project} --repo PATH_OR_URL --verify "CMD"`,
    });
  }
  const main = await parts.repositories.openHub(source);
  const found = await findSpecFiles(parts.dir, project);
  const parsed = found.map(
    (file): ParsedFile => ({ file: file.path, parsed: parseSpec({ text: file.text, file: file.path, defaults: { project } }) }),
  );
  const mine = parsed.filter((file) => !isInbox(file.file) || !belongsElsewhere(parts.settings, file, project));
  const checked = await checkSpecs(parts, project, main, mine);
  if (checked.fit.length === 0 && checked.problems.some((problem) => problem.severity === "error")) throw specInvalid(project, checked.problems);
  const texts = new Map(found.map((file) => [file.path, file.text]));
  const files = checked.fit.map((file): SpecFile => {
    const text = texts.get(file.file) ?? "";
    return { spec: file.parsed.spec, digest: digestOf(text), text, path: settledPath(project, file.file) };
  });
  const report = await parts.commands.feed(files);
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

/** The spec of a task as its file says now, for a retry. */
export async function readEditedSpec(parts: FeedParts, task: Task): Promise<SpecFile> {
  let text: string;
  try {
    text = await readFile(join(parts.dir, task.path), "utf8");
  } catch (error) {
    throw new FactoryError("NOT_FOUND", `the spec file ${task.path} cannot be read`, {
      fault: "user",
      hint: "put it back, or retry without --edited to use the spec as it was fed",
      cause: error,
    });
  }
  const file: ParsedFile = { file: task.path, parsed: parseSpec({ text, file: task.path, defaults: { project: task.project } }) };
  const main = parts.world.projects.get(task.project)?.main ?? "";
  const { problems, fit } = await checkSpecs(parts, task.project, main, [file]);
  if (fit.length === 0 || file.parsed.outcome !== "parsed") {
    throw new FactoryError("SPEC_INVALID", `${task.path} has problems; the task was left as it is`, {
      fault: "user",
      hint: "mend the file, then retry again",
      facts: { problems },
    });
  }
  if (file.parsed.spec.id !== task.spec.id) {
    throw new FactoryError("SPEC_CHANGED", `${task.path} now has the task_id ${file.parsed.spec.id}`, {
      fault: "user",
      hint: `put ${task.spec.id} back, or feed it as a task of its own`,
    });
  }
  return { spec: file.parsed.spec, digest: digestOf(text), text, path: task.path };
}

export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

interface Checked {
  problems: readonly SpecProblem[];
  /** Files without errors whose dependencies are fit too. */
  fit: readonly ReadableFile[];
}

/** What is merged is history: its paths need not fit the repository as it is now, so it is not judged again. */
async function checkSpecs(parts: FeedParts, project: string, main: Oid, files: readonly ParsedFile[]): Promise<Checked> {
  const policy = await parts.settings.policyAt(project, main);
  const tasks = [...parts.world.tasks.values()].filter((task) => task.project === project);
  const merged = new Set(tasks.flatMap((task) => (task.state.kind === "merged" ? [task.spec.id] : [])));
  const open = files.filter((file) => file.parsed.outcome !== "parsed" || !merged.has(file.parsed.spec.id));
  const config = parts.settings.current();
  const others = Object.keys(config.factory.projects)
    .filter((id) => id !== project)
    .map((id) => ({ id, hasVerify: true, files: null, protectedPaths: [], tasks: [] }));
  const facts: LintFacts = {
    projects: [
      {
        id: project,
        hasVerify: policy.verify.length > 0,
        files: await parts.repositories.listFiles(project, main),
        protectedPaths: defaultProtectedPaths,
        tasks: tasks.map(knownTaskOf),
      },
      ...others,
    ],
    executors: Object.keys(config.factory.executors),
  };
  const problems = [...lintSpecs(open, facts), ...missingExecutors(parts.settings, open)];
  const wrong = new Set(missingExecutors(parts.settings, open).map((problem) => problem.file));
  const fit = verifiedFiles(open, facts, problems).filter((file) => !wrong.has(file.file));
  const settled = files.filter((file): file is ReadableFile => file.parsed.outcome === "parsed" && merged.has(file.parsed.spec.id));
  return { problems, fit: [...fit, ...settled] };
}

/** A spec that leaves the choice of executor to a project that has none. */
function missingExecutors(settings: LiveSettings, files: readonly ParsedFile[]): Problem[] {
  return files.flatMap((file): Problem[] => {
    if (file.parsed.outcome !== "parsed" || file.parsed.spec.executor !== "auto" || settings.executorOf(file.parsed.spec) !== undefined) return [];
    const message = "the project has no executor: add one under executors in dispatch.yaml, and name it in the project or in the spec";
    return [{ file: file.file, line: 1, column: 1, id: "FM001", code: "F14", severity: "error", message }];
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
