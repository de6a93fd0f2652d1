import { existsSync, statSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { FactoryError, type Task } from "@dispatch/core";
import { createRepositories } from "@dispatch/git";
import { factoryPaths, type SpecProblem } from "@dispatch/protocol";
import { defaultProtectedPaths, knownTaskOf, type LintFacts, lintSpecs, type ParsedFile, type ProjectFacts, parseSpec } from "@dispatch/spec";
import { createSqliteLedger } from "@dispatch/store";
import { loadFactory } from "../config/load-factory.ts";
import { createSettings } from "../config/settings.ts";

/**
 * Checks spec files: the given ones (files or folders), or all of the factory's. Without a factory the rules
 * that need a project's repository or its registration are left out.
 */
export async function lintFactory(factory: string | undefined, paths: readonly string[], options: { project?: string }): Promise<SpecProblem[]> {
  const root = factory === undefined ? undefined : resolve(factory);
  const files = paths.length > 0 ? await expandPaths(paths) : await factorySpecs(root, options.project);
  const parsed: ParsedFile[] = [];
  for (const file of files) {
    const name = relative(process.cwd(), file) || file;
    const fallback = options.project ?? folderProject(root, file);
    parsed.push({
      file: name,
      parsed: parseSpec({ text: await readFile(file, "utf8"), file: name, defaults: fallback === undefined ? {} : { project: fallback } }),
    });
  }
  return lintSpecs(parsed, root === undefined ? factsWithoutFactory(parsed) : await factsOf(root, parsed));
}

/** Without a factory every project that is named counts as registered, and no repository is known. */
function factsWithoutFactory(files: readonly ParsedFile[]): LintFacts {
  return {
    projects: namedProjects(files).map((id) => ({ id, hasVerify: false, files: null, protectedPaths: defaultProtectedPaths, tasks: [] })),
    executors: null,
  };
}

function namedProjects(files: readonly ParsedFile[]): string[] {
  return [...new Set(files.flatMap((file) => (file.parsed.outcome === "parsed" ? [file.parsed.spec.project] : [])))];
}

async function factsOf(root: string, files: readonly ParsedFile[]): Promise<LintFacts> {
  const config = await loadFactory(root);
  const repositories = createRepositories({ hubDir: join(config.dir, factoryPaths.hubs) });
  const settings = createSettings(config, repositories);
  const used = namedProjects(files);
  const tasks = await tasksOf(config.dir);
  const projects: ProjectFacts[] = [];
  for (const [id, entry] of Object.entries(config.factory.projects)) {
    const own = tasks.filter((task) => task.project === id).map(knownTaskOf);
    const fact = { id, hasVerify: entry.verify !== undefined, files: null, protectedPaths: defaultProtectedPaths, tasks: own };
    if (!used.includes(id) || !existsSync(join(config.dir, factoryPaths.hubs, `${id}.git`))) {
      projects.push(fact);
      continue;
    }
    const main = await repositories.mainOf(id);
    const policy = await settings.policyAt(id, main);
    const [files, landed] = [await repositories.listFiles(id, main), await repositories.landedSpecs(id)];
    projects.push({ ...fact, hasVerify: policy.verify.length > 0, files, tasks: landed.map(landedTask) });
  }
  return { projects, executors: Object.keys(config.factory.executors) };
}

/** What is merged is history: its paths need not fit the repository as it is now, and others may build on it. */
function landedTask(specId: string): ProjectFacts["tasks"][number] {
  return { specId, state: "merged", dependsOn: [], after: [], creates: [], deletes: [] };
}

/** The tasks of the ledger, if there is one yet: what specs may depend on, and what is merged already. */
async function tasksOf(root: string): Promise<Task[]> {
  const file = join(root, factoryPaths.ledger);
  if (!existsSync(file)) return [];
  const ledger = createSqliteLedger(file);
  try {
    return [...ledger.load().world.tasks.values()];
  } finally {
    await ledger.close();
  }
}

async function factorySpecs(root: string | undefined, project: string | undefined): Promise<string[]> {
  if (root === undefined)
    throw new FactoryError("USAGE", "no files were named, and this is no factory", {
      fault: "user",
      hint: "dispatch lint FILE…, or run it inside a factory",
    });
  const folders = project === undefined ? [factoryPaths.specs] : [factoryPaths.pendingSpecs, `${factoryPaths.specs}/${project}`];
  const files = await expandPaths(folders.map((folder) => join(root, folder)).filter((folder) => existsSync(folder)));
  return files.filter((file) => !file.startsWith(join(root, factoryPaths.specs, "examples") + sep));
}

async function expandPaths(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const full = resolve(path);
    if (!existsSync(full))
      throw new FactoryError("NOT_FOUND", `${path} does not exist`, { fault: "user", hint: "name spec files or folders that hold them" });
    if (!statSync(full).isDirectory()) {
      files.push(full);
      continue;
    }
    const entries = await readdir(full, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (entry.isFile() && entry.name.endsWith(".md") && entry.name.toLowerCase() !== "readme.md") files.push(join(entry.parentPath, entry.name));
    }
  }
  return [...new Set(files)].sort();
}

/** specs/PROJECT/S01-x.md belongs to PROJECT; the inbox and the examples belong to nobody. */
function folderProject(root: string | undefined, file: string): string | undefined {
  if (root === undefined) return undefined;
  const parts = relative(join(root, factoryPaths.specs), dirname(file)).split(sep);
  const folder = parts[0];
  if (folder === undefined || folder === "" || folder === ".." || folder === basename(factoryPaths.pendingSpecs) || folder === "examples")
    return undefined;
  return folder;
}
