import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { isFactoryError, type ProjectSource, type Task } from "@dispatch/core";
import { type BaseView, createRepositories, type GitRepositories } from "@dispatch/git";
import { factoryPaths } from "@dispatch/protocol";
import { defaultProtectedPaths, type LintFacts, lintSpecs, type ParsedFile, type Problem } from "@dispatch/spec";
import { createSqliteLedger } from "@dispatch/store";
import { loadFactory } from "../config/load-factory.ts";
import { createSettings, type LiveSettings } from "../config/settings.ts";
import { expandPaths, factorySpecs, type LintedFile, namedProjects, readAround, readSpecFiles } from "./gather-spec-files.ts";
import { judgeSpecs, type TryOnBase } from "./judge-specs.ts";
import { type MendedFile, mendFiles } from "./mend-files.ts";
import { openPreflightCache } from "./preflight-cache.ts";
import { preflightSpecs } from "./preflight-specs.ts";
import { type FactSources, readLintFacts } from "./read-lint-facts.ts";
import { runInScratch } from "./run-in-scratch.ts";

export interface LintOptions {
  /** The project of specs that do not name theirs. */
  project?: string;
  /** Runs the specs' own verify commands on the base commit, in folders that are gone afterwards (VER004). */
  preflight?: boolean;
  /** Mends what can be mended without changing what a spec means, and judges what is there then. */
  fix?: boolean;
  /** Ends a preflight early. */
  signal?: AbortSignal;
  /** Says one line about what is done or left out. */
  say?(line: string): void;
}

export interface LintReport {
  problems: readonly Problem[];
  /** What `fix` did. */
  mended: readonly MendedFile[];
}

const preflightLimitMs = 1_800_000;

/**
 * Checks spec files, the given ones (files or folders) or all of the factory's, as a feed would: against the repository
 * at its base, the ledger, and the other specs of the factory. Without a factory the rules that need a project's
 * repository or its registration are left out.
 */
export async function lintSpecFiles(factory: string | undefined, paths: readonly string[], options: LintOptions = {}): Promise<LintReport> {
  const root = factory === undefined ? undefined : resolve(factory);
  const named = paths.length > 0 ? await expandPaths(paths) : await factorySpecs(root, options.project);
  const read = (): Promise<LintedFile[]> => readSpecFiles(root, named, options.project);
  const files = await read();
  if (root === undefined) {
    if (options.preflight === true) options.say?.("without a factory no repository is known: nothing was run on a base");
    const mended = options.fix === true ? await mendFiles(files, files, { facts: factsWithoutFactory(files), tasks: [] }) : [];
    const now = mended.length > 0 ? await read() : files;
    return { problems: lintSpecs(now, factsWithoutFactory(now)), mended };
  }
  const around = paths.length > 0 ? await readAround(root, files) : [];
  const sources = await openSources(root, [...files, ...around], options);
  const mended =
    options.fix === true
      ? await mendFiles(files, [...files, ...around], { facts: await readLintFacts(sources, [...files, ...around]), tasks: sources.tasks })
      : [];
  const now = mended.length > 0 ? await read() : files;
  const tryOnBase = options.preflight === true ? tryInScratch(sources, now, options) : undefined;
  const { problems } = await judgeSpecs(sources, [...now, ...around], tryOnBase);
  const asked = new Set(now.map((file) => file.file));
  return { problems: problems.filter((problem) => asked.has(problem.file)), mended };
}

/** The problems of `lintSpecFiles` alone. */
export async function lintFactory(factory: string | undefined, paths: readonly string[], options: LintOptions = {}): Promise<readonly Problem[]> {
  return (await lintSpecFiles(factory, paths, options)).problems;
}

/** Without a factory every project that is named counts as registered, and no repository is known. */
function factsWithoutFactory(files: readonly ParsedFile[]): LintFacts {
  return {
    projects: namedProjects(files).map((id) => ({ id, hasVerify: false, files: null, protectedPaths: defaultProtectedPaths, tasks: [] })),
    executors: null,
  };
}

type Sources = FactSources & { settings: LiveSettings };

async function openSources(root: string, files: readonly LintedFile[], options: LintOptions): Promise<Sources> {
  const config = await loadFactory(root);
  const repositories = createRepositories({ hubDir: join(config.dir, factoryPaths.hubs) });
  const bases = new Map<string, BaseView>();
  const settings = createSettings(config, { readFile: async (project, _, path) => (await bases.get(project)?.readFiles([path]))?.get(path) });
  const landed = new Map<string, readonly string[]>();
  for (const id of namedProjects(files)) {
    const source = settings.sourceOf(id);
    if (source === undefined) continue;
    const base = await openBase(repositories, source, options);
    if (base !== undefined) bases.set(id, base);
    if (existsSync(join(config.dir, factoryPaths.hubs, `${id}.git`))) landed.set(id, await repositories.landedSpecs(id));
  }
  return { settings, bases, landed, tasks: await tasksOf(config.dir) };
}

/** What cannot be looked at is said, not guessed: its questions are left out. */
async function openBase(repositories: GitRepositories, source: ProjectSource, { say }: LintOptions): Promise<BaseView | undefined> {
  const skipped = `questions about the files of ${source.id} were left out`;
  try {
    const base = await repositories.openBase(source);
    if (base === undefined) say?.(`${skipped}: its repository is not on this machine; dispatch start ${source.id} fetches it`);
    return base;
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    say?.(`${skipped}: ${error.message}`);
    return undefined;
  }
}

function tryInScratch(sources: Sources, asked: readonly LintedFile[], options: LintOptions): TryOnBase {
  const signal = options.signal ?? new AbortController().signal;
  const names = new Set(asked.map((file) => file.file));
  const { dir } = sources.settings.current();
  const now = (): number => Date.now();
  const parts = { bases: sources.bases, run: runInScratch(signal), cache: openPreflightCache(dir, now), signal, limitMs: preflightLimitMs, now };
  return (sound) =>
    preflightSpecs(
      { ...parts, say: (line) => options.say?.(line) },
      sound.filter((file) => names.has(file.file)),
    );
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
