import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { coversAny, type ProjectId, patternProblem, revertExecutor, type Task } from "@dispatch/core";
import type { BaseView } from "@dispatch/git";
import { commonPaths } from "@dispatch/scheduler";
import {
  type ContractFile,
  citedFiles,
  defaultProtectedPaths,
  isManifest,
  type KnownTask,
  knownTaskOf,
  type LintFacts,
  type ParsedFile,
  type ProjectFacts,
  parseContract,
  type ReadableFile,
  readManifest,
} from "@dispatch/spec";
import type { LiveSettings } from "../config/settings.ts";

export interface FactSources {
  settings: Pick<LiveSettings, "current" | "policyAt">;
  /** The base of each project that is asked about; without one no question about its repository is put. */
  bases: ReadonlyMap<ProjectId, BaseView>;
  /** All tasks of the ledger. */
  tasks: readonly Task[];
  /** Ids of specs that landed, of projects whose ledger may not know it. */
  landed?: ReadonlyMap<ProjectId, readonly string[]>;
}

/**
 * Everything the rules ask about the factory and its repositories, read at the base revision: the one place for it, so
 * that the daemon and an offline lint judge alike.
 */
export async function readLintFacts(sources: FactSources, files: readonly ParsedFile[]): Promise<LintFacts> {
  const { factory, dir } = sources.settings.current();
  const projects: ProjectFacts[] = [];
  for (const [id, entry] of Object.entries(factory.projects)) {
    const base = sources.bases.get(id);
    // The repository may bring a verify command of its own; unread, it is given the benefit of the doubt.
    const known = { id, hasVerify: true, protectedPaths: defaultProtectedPaths, tasks: knownTasks(sources, id) };
    if (base === undefined) {
      projects.push({ ...known, files: null });
      continue;
    }
    const mine = files.filter((file): file is ReadableFile => file.parsed.outcome === "parsed" && file.parsed.spec.project === id);
    const policy = await sources.settings.policyAt(id, base.revision);
    const read = await readRepository(base, mine, { project: id, contracts: entry.contracts });
    projects.push({
      ...known,
      ...read,
      hasVerify: policy.verify.length > 0,
      contracts: entry.contracts,
      common: commonPaths(entry.paths),
      sources: await readSources(dir, mine),
    });
  }
  return { projects, executors: [...new Set([...Object.keys(factory.executors), revertExecutor])] };
}

function knownTasks({ tasks, landed }: FactSources, project: ProjectId): KnownTask[] {
  const known = tasks.filter((task) => task.project === project).map(knownTaskOf);
  const ids = new Set(known.map((task) => task.specId));
  return [...known, ...(landed?.get(project) ?? []).filter((id) => !ids.has(id)).map(landedTask)];
}

/** What is merged is history: its paths need not fit the repository as it is now, and others may build on it. */
function landedTask(specId: string): KnownTask {
  return { specId, state: "merged", dependsOn: [], after: [], creates: [], deletes: [] };
}

type RepositoryFacts = Required<Pick<ProjectFacts, "files" | "manifests" | "contractFiles" | "sizes">>;

/** All texts the rules need come with one batch read. */
async function readRepository(
  base: BaseView,
  files: readonly ReadableFile[],
  about: { project: ProjectId; contracts: readonly string[] },
): Promise<RepositoryFacts> {
  const tracked = await base.listFiles();
  const there = new Set(tracked);
  const contexts = files.flatMap((file) => file.parsed.document.context).filter((path) => there.has(path));
  const cited = citedFiles(files, about.project).filter((path) => there.has(path));
  const patterns = about.contracts.filter((pattern) => patternProblem(pattern) === undefined);
  const shared = patterns.length === 0 ? [] : tracked.filter((path) => coversAny(patterns, path));
  const texts = await base.readFiles([...tracked.filter(isManifest), ...contexts, ...cited, ...shared]);
  const textOf = (path: string): string => texts.get(path) ?? "";
  return {
    files: tracked,
    manifests: tracked
      .filter(isManifest)
      .map((path) => readManifest(path, textOf(path)))
      .filter((manifest) => manifest !== undefined),
    contractFiles: [...new Set([...cited, ...shared])].sort().map((file): ContractFile => ({ file, ...parseContract(file, textOf(file)) })),
    sizes: new Map(contexts.map((path) => [path, Buffer.byteLength(textOf(path))])),
  };
}

/** What specs were split from, as it is now: files of the factory. One that is gone is left out. */
async function readSources(dir: string, files: readonly ReadableFile[]): Promise<ReadonlyMap<string, string>> {
  const named = new Set(files.flatMap((file) => file.parsed.document.source?.file ?? []));
  const digests = new Map<string, string>();
  for (const path of named) {
    if (patternProblem(path) !== undefined) continue;
    try {
      digests.set(
        path,
        createHash("sha256")
          .update(await readFile(join(dir, path)))
          .digest("hex"),
      );
    } catch {}
  }
  return digests;
}
