import { existsSync } from "node:fs";
import { type AttemptId, FactoryError, isFactoryError, type Oid, type ProjectId } from "@dispatch/core";
import type { GitRepositories } from "@dispatch/git";
import { hubOf, hubsOf, openHubs, readLedger } from "../record/read-ledger.ts";
import type { FactoryRecord } from "../record/read-record.ts";
import { type HubFacts, type HubVerdict, isPruned, judgeHub, type KeptCommit, type MergedTask } from "./judge-hub.ts";

export interface ProjectAudit extends HubVerdict {
  project: ProjectId;
}

/** Whether anything was lost. */
export interface AuditReport {
  whole: boolean;
  projects: readonly ProjectAudit[];
}

/**
 * Compares the ledger with the hubs, of one project or of all; needs no daemon and disturbs none.
 * Throws NOT_FOUND for a project that has neither tasks nor a hub.
 */
export async function auditFactory(dir: string, project?: ProjectId): Promise<AuditReport> {
  const hubs = openHubs(dir);
  const withHub = await hubsOf(dir);
  // What is in the hub now is in the ledger that is read after it, and the other way round.
  const before = new Map<ProjectId, Pick<HubFacts, "mainBefore" | "kept"> | FactoryError>();
  for (const id of withHub) if (project === undefined || project === id) before.set(id, await attempted(() => lookBefore(hubs, id)));
  const record = readLedger(dir);
  const all = [...new Set([...record.world.projects.keys(), ...withHub])].sort();
  if (project !== undefined && !all.includes(project)) throw noProject(project, all);
  const projects: ProjectAudit[] = [];
  for (const id of project === undefined ? all : [project]) projects.push(await auditProject({ dir, hubs, record, id, before: before.get(id) }));
  return { whole: projects.every(({ violations }) => violations.length === 0), projects };
}

interface Audited {
  dir: string;
  hubs: GitRepositories;
  record: FactoryRecord;
  id: ProjectId;
  before: Pick<HubFacts, "mainBefore" | "kept"> | FactoryError | undefined;
}

async function auditProject({ dir, hubs, record, id, before }: Audited): Promise<ProjectAudit> {
  if (before === undefined && !existsSync(hubOf(dir, id))) return { project: id, ...failed("hub-missing", `${hubOf(dir, id)} is not there`) };
  const broken = await attempted(() => hubs.checkObjects(id));
  if (isFactoryError(broken)) return { project: id, ...failed("hub-unreadable", broken.message) };
  const seen = before ?? (await attempted(() => lookBefore(hubs, id)));
  const facts = isFactoryError(seen) ? seen : await attempted(() => readFacts({ hubs, record, id, seen, broken }));
  if (!isFactoryError(facts)) return { project: id, ...judgeHub(facts) };
  const { violations, ...rest } = failed("hub-unreadable", facts.message);
  return { project: id, violations: [...violations, ...broken.map((text) => ({ kind: "objects-broken" as const, about: "", text }))], ...rest };
}

async function lookBefore(hubs: GitRepositories, id: ProjectId): Promise<Pick<HubFacts, "mainBefore" | "kept">> {
  return { mainBefore: (await hubs.mainHistory(id, null)).main, kept: await hubs.keptRefs(id) };
}

async function readFacts(input: {
  hubs: GitRepositories;
  record: FactoryRecord;
  id: ProjectId;
  seen: Pick<HubFacts, "mainBefore" | "kept">;
  broken: readonly string[];
}): Promise<HubFacts> {
  const { hubs, record, id } = input;
  const main = record.mains.get(id) ?? { start: null, green: new Map<Oid, Oid>(), takenIn: [] };
  const claims = claimsOf(record, id);
  const pruned = await hubs.prunedRefs(id);
  // A pruned commit may be half gone already, and git stumbles over such.
  const asked = claims.filter((claim) => !isPruned(claim, pruned));
  const holdings = await hubs.findHolders(id, asked);
  const held = new Map(asked.map((claim, i) => [claim, holdings[i]]));
  return {
    project: id,
    record: main,
    merged: mergedTasks(record, id),
    works: claims.map((claim) => ({ ...claim, holding: held.get(claim) ?? { present: false, onMain: false, refs: [] } })),
    mainBefore: input.seen.mainBefore,
    history: await hubs.mainHistory(id, main.start),
    kept: input.seen.kept,
    known: new Set(record.world.attempts.keys()),
    // Written down before it goes: what was just seen to be gone is in the list by now.
    pruned: await hubs.prunedRefs(id),
    broken: input.broken,
  };
}

function claimsOf({ world, works }: FactoryRecord, project: ProjectId): Omit<KeptCommit, "holding">[] {
  const claims: Omit<KeptCommit, "holding">[] = [];
  for (const [attempt, collected] of works) {
    if (!isOf(world, attempt, project)) continue;
    for (const { tip, salvage } of collected) {
      if (tip !== null) claims.push({ attempt, what: "result", commit: tip });
      if (salvage !== null) claims.push({ attempt, what: "salvage", commit: salvage });
    }
  }
  return claims;
}

function isOf({ attempts, tasks }: FactoryRecord["world"], attempt: AttemptId, project: ProjectId): boolean {
  return tasks.get(attempts.get(attempt)?.task ?? "")?.project === project;
}

function mergedTasks({ world }: FactoryRecord, project: ProjectId): MergedTask[] {
  return [...world.tasks.values()].flatMap((task) => {
    if (task.project !== project || task.state.kind !== "merged") return [];
    return [{ task: task.id, specId: task.spec.id, commit: task.state.commit, attempt: task.state.attempt }];
  });
}

function failed(kind: "hub-missing" | "hub-unreadable", text: string): HubVerdict {
  return { violations: [{ kind, about: "", text }], notes: [], counts: { merged: 0, landings: 0, works: 0, refs: 0, pruned: 0 } };
}

/** What git could not read is part of the answer. */
async function attempted<T>(read: () => Promise<T>): Promise<T | FactoryError> {
  try {
    return await read();
  } catch (error) {
    if (isFactoryError(error) && error.code === "GIT_FAILED") return error;
    throw error;
  }
}

function noProject(project: ProjectId, all: readonly ProjectId[]): FactoryError {
  return new FactoryError("NOT_FOUND", `project ${project} has neither tasks nor a hub`, {
    fault: "user",
    hint: all.length === 0 ? "nothing was started in this factory yet" : `one of: ${all.join(", ")}`,
  });
}
