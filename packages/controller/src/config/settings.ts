import { resolve } from "node:path";
import {
  type ExecutorDefinition,
  FactoryError,
  type Oid,
  type ProjectId,
  type ProjectSource,
  type Repositories,
  type TaskSpec,
} from "@dispatch/core";
import type { ProjectPolicy, Settings } from "@dispatch/engine";
import { findForge } from "@dispatch/git";
import type { SchedulingPolicy } from "@dispatch/scheduler";
import { type FactoryConfig, loadFactory } from "./load-factory.ts";
import { composeGates, generatedFiles, policyFile, readRepositoryPolicy, verifyCommands } from "./repository-policy.ts";
import { revertedBy, revertsWithGit } from "./revert-executor.ts";
import type { RepositoryPolicy } from "./schema.ts";

/** The configuration while the daemon runs: the last one that was right stays in force. */
export interface LiveSettings extends Settings {
  current(): FactoryConfig;
  /** Reads the files again. Throws CONFIG_INVALID and keeps what was. */
  reload(): Promise<void>;
  /** Has other nodes from now on. */
  takeNodes(nodes: FactoryConfig["nodes"]): void;
}

export function createSettings(initial: FactoryConfig, repositories: Pick<Repositories, "readFile">): LiveSettings {
  let config = initial;
  let scheduling = schedulingOf(initial);
  const policies = new Map<string, Promise<ProjectPolicy>>();

  async function readPolicy(project: ProjectId, revision: Oid): Promise<ProjectPolicy> {
    const text = await repositories.readFile(project, revision, policyFile);
    return composePolicy(config, project, readRepositoryPolicy(`${project}@${revision.slice(0, 12)}`, text));
  }

  return {
    current: () => config,
    async reload() {
      config = await loadFactory(config.dir);
      scheduling = schedulingOf(config);
      policies.clear();
    },
    takeNodes(nodes) {
      config = { ...config, nodes };
    },
    sourceOf: (project) => sourceOf(config, project),
    scheduling: () => scheduling,
    executorOf: (spec) => executorOf(config, spec),
    policyAt(project, revision) {
      const key = `${project}@${revision}`;
      const known = policies.get(key);
      if (known !== undefined) return known;
      if (policies.size > 1000) policies.clear();
      const reading = readPolicy(project, revision);
      policies.set(key, reading);
      reading.catch(() => policies.delete(key));
      return reading;
    },
  };
}

/** How each configured project is placed and landed. */
export function schedulingOf({ factory }: FactoryConfig): ReadonlyMap<ProjectId, SchedulingPolicy> {
  return new Map(
    Object.entries(factory.projects).map(([name, { landing, contracts, share, executor, paths }]) => [
      name,
      { landing, contracts, share, ...paths, generated: generatedFiles(paths.generated), executor: automaticExecutor(factory, executor) ?? null },
    ]),
  );
}

export function sourceOf(config: FactoryConfig, project: ProjectId): ProjectSource | undefined {
  const entry = config.factory.projects[project];
  if (entry === undefined) return undefined;
  const source = { id: project, repo: isUrl(entry.repo) ? entry.repo : resolve(config.dir, entry.repo), branch: entry.branch };
  const forge = entry.forge ?? findForge(entry.repo);
  if (entry.publish === "push" || forge === undefined) return source;
  return { ...source, pullRequest: { branch: entry.publish_branch, forge } };
}

const dayMs = 24 * 60 * 60_000;

/** How long the work of ended tasks of a project is kept, in ms; null: for ever, as for one that is not configured any more. */
export function salvageKeepMs({ factory }: FactoryConfig, project: ProjectId): number | null {
  const entry = factory.projects[project];
  const days = entry === undefined ? "forever" : (entry.salvage_keep_days ?? factory.salvage_keep_days);
  return days === "forever" ? null : days * dayMs;
}

/** Whether a repository is named by URL (or scp-like address) and not by path. */
export function isUrl(repo: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(repo) || /^[^/\\]+@[^/\\:]+:/.test(repo);
}

/** The repository's own policy wins over the factory's for verify and rounds; gate allowances of both count. */
function composePolicy(config: FactoryConfig, project: ProjectId, own: RepositoryPolicy): ProjectPolicy {
  const entry = config.factory.projects[project];
  if (entry === undefined)
    throw new FactoryError("NOT_FOUND", `project ${project} is not in dispatch.yaml`, {
      fault: "user",
      hint: "register it with dispatch project add",
    });
  return {
    verify: verifyCommands(own.verify ?? entry.verify),
    maxRounds: own.rounds ?? entry.rounds,
    gates: composeGates(entry, own.gates),
  };
}

/** What `auto` stands for in a project: the executor it names, else the only one there is. */
function automaticExecutor({ executors }: FactoryConfig["factory"], named: string | undefined): string | undefined {
  const names = Object.keys(executors);
  return named ?? (names.length === 1 ? names[0] : undefined);
}

function executorOf(config: FactoryConfig, spec: TaskSpec): ExecutorDefinition | undefined {
  const reverted = revertedBy(spec);
  if (reverted.length > 0) return revertsWithGit(reverted);
  const { executors, projects } = config.factory;
  const asked = spec.executor === "auto" ? automaticExecutor(config.factory, projects[spec.project]?.executor) : spec.executor;
  const entry = asked === undefined ? undefined : executors[asked];
  if (asked === undefined || entry === undefined) return undefined;
  return { name: asked, command: entry.command, prompt: entry.prompt, timeoutSeconds: entry.timeout_s, env: entry.env };
}
