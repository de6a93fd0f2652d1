import { FactoryError, isFactoryError, type ProjectId, type TaskId } from "@dispatch/core";
import type { GitRepositories, KeptRef } from "@dispatch/git";
import { loadFactory } from "../config/load-factory.ts";
import { isUrl, sourceOf } from "../config/settings.ts";
import { hubOf, hubsOf, openHubs, readLedger } from "../record/read-ledger.ts";
import { type FactoryRecord, readRecord } from "../record/read-record.ts";
import {
  composeCommands,
  composeRecovery,
  type HeldWork,
  isAttemptOf,
  type RecoverableAttempt,
  type RecoveryView,
  taskOfAttempt,
} from "./compose-recovery.ts";

/** What can be got back from a factory: with or without a daemon, and also without a ledger that can be read. */
export interface Recovery {
  /** Why the ledger could not be read; then only what the hubs hold is known. */
  trouble: string | null;
  /** Tasks that the ledger knows or a hub holds work of. */
  tasks: readonly { id: TaskId; project: ProjectId }[];
  look(task: TaskId): Promise<RecoveryView>;
  /** The whole work of an attempt as a patch from its base. */
  patch(task: TaskId, attempt: RecoverableAttempt): Promise<Buffer>;
  /** Makes a branch with the whole work of an attempt, in `into` or the project's repository. Returns the folder. */
  handOver(task: TaskId, attempt: RecoverableAttempt, to: { branch: string; into: string | undefined }): Promise<{ folder: string; made: boolean }>;
  /** The git commands that do the same by hand. */
  commands(view: RecoveryView, attempt: RecoverableAttempt, into: string | undefined): Promise<string[]>;
}

export async function openRecovery(dir: string): Promise<Recovery> {
  const { record, trouble } = recordOf(dir);
  const hubs = openHubs(dir);
  const kept = new Map<ProjectId, readonly KeptRef[]>();
  for (const project of await hubsOf(dir)) kept.set(project, await hubs.keptRefs(project));
  const projectOf = (task: TaskId): ProjectId => task.slice(0, task.indexOf("/"));
  /** The project's repository, when it is a folder of this machine. */
  const folderOf = (task: TaskId): Promise<string | undefined> => folderOfProject(dir, projectOf(task));
  return {
    trouble,
    tasks: tasksOf(record, kept),
    async look(task) {
      const project = projectOf(task);
      const own = (kept.get(project) ?? []).filter(({ attempt }) => isAttemptOf(attempt, task));
      const held = await Promise.all(own.map(async (ref) => ({ ...ref, size: await sizeOf(hubs, record, project, ref) })));
      const pruned = kept.has(project) ? await hubs.prunedRefs(project) : [];
      return composeRecovery({ task, hub: hubOf(dir, project), record, held, pruned });
    },
    patch: (task, attempt) => hubs.patchOf(projectOf(task), attempt.base, requireWork(attempt).commit),
    async handOver(task, attempt, { branch, into }) {
      const { ref, commit } = requireWork(attempt);
      const folder = into ?? (await folderOf(task));
      if (folder === undefined) throw noFolder(projectOf(task));
      const made = await hubs.handOver(projectOf(task), { ref, commit, branch, folder });
      return { folder, made: made === "made" };
    },
    commands: async (view, attempt, into) => composeCommands(view, attempt, into ?? (await folderOf(view.task))),
  };
}

/** When the ledger cannot be read, the hubs still tell by themselves. */
function recordOf(dir: string): { record: FactoryRecord; trouble: string | null } {
  try {
    return { record: readLedger(dir), trouble: null };
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    return { record: readRecord([]), trouble: error.message };
  }
}

function tasksOf({ world }: FactoryRecord, kept: ReadonlyMap<ProjectId, readonly KeptRef[]>): { id: TaskId; project: ProjectId }[] {
  const tasks = new Map([...world.tasks.values()].map(({ id, project }) => [id, { id, project }]));
  for (const [project, refs] of kept) {
    for (const { attempt } of refs) {
      const id = taskOfAttempt(attempt);
      if (id?.startsWith(`${project}/`) === true) tasks.set(id, { id, project });
    }
  }
  return [...tasks.values()];
}

/** Null where git cannot read what the ref names. */
async function sizeOf(hubs: GitRepositories, { world }: FactoryRecord, project: ProjectId, ref: KeptRef): Promise<HeldWork["size"]> {
  try {
    return await hubs.measureWork(project, world.attempts.get(ref.attempt)?.base ?? null, ref.commit);
  } catch (error) {
    if (isFactoryError(error) && error.code === "GIT_FAILED") return null;
    throw error;
  }
}

function requireWork(attempt: RecoverableAttempt): HeldWork {
  if (attempt.whole !== null) return attempt.whole;
  const gone = attempt.pruned.length > 0;
  throw new FactoryError("NOT_FOUND", `the hub holds nothing of ${attempt.attempt}`, {
    fault: "user",
    hint: gone
      ? "it was let go of by salvage_keep_days; dispatch recover TASK shows how to bring it back"
      : "dispatch recover TASK shows what it holds of others",
  });
}

async function folderOfProject(dir: string, project: ProjectId): Promise<string | undefined> {
  try {
    const repo = sourceOf(await loadFactory(dir), project)?.repo;
    return repo === undefined || isUrl(repo) ? undefined : repo;
  } catch (error) {
    // A configuration that is wrong keeps nobody from getting work back.
    if (isFactoryError(error) && error.code === "CONFIG_INVALID") return undefined;
    throw error;
  }
}

function noFolder(project: ProjectId): FactoryError {
  return new FactoryError("USAGE", `the repository of ${project} is no folder on this machine`, {
    fault: "user",
    hint: "name a clone of it with --into DIR",
  });
}
