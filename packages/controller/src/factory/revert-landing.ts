import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FactoryError, type Oid, type Task, taskIdOf } from "@dispatch/core";
import type { FoundLanding, GitRepositories } from "@dispatch/git";
import { factoryPaths, type RevertRequest, type RevertView } from "@dispatch/protocol";
import { revertedBy } from "../config/revert-executor.ts";
import { checkSpecs, digestOf, type FeedParts, readSpecText } from "./check-specs.ts";
import { revertId, revertSpec } from "./revert-spec.ts";

export interface RevertParts extends FeedParts {
  repositories: FeedParts["repositories"] & Pick<GitRepositories, "findLanding" | "pathsOnMain">;
}

type Landing = Extract<FoundLanding, { found: "landing" }>;

/**
 * Prepares the revert of a landing as an ordinary task: a spec that git itself carries out. A task takes back its own
 * part of a landing, a commit of main all of it. Throws NOT_FOUND, USAGE or NOT_ALLOWED for what cannot be taken back.
 */
export async function revertLanding(parts: RevertParts, project: string, request: RevertRequest, by: string): Promise<RevertView> {
  const source = parts.settings.sourceOf(project);
  if (source === undefined || !parts.world.projects.has(project)) {
    throw refusal("NOT_FOUND", `project ${project} was never started`, "dispatch project list shows what is registered");
  }
  const { commit: landing, merges } = await landingOf(parts, project, request.landing);
  await refuseSecond(parts, project, merges);
  const specIds = merges.map(({ specId }) => specId);
  const id = revertId(
    specIds,
    [...parts.world.tasks.values()].filter((task) => task.project === project),
  );
  const there = await parts.repositories.pathsOnMain(
    project,
    merges.flatMap(({ paths }) => paths),
  );
  const text = revertSpec({ id, project, landing, merges, there: new Set(there) });
  const path = `${factoryPaths.specs}/${project}/${id}.md`;
  const read = readSpecText(project, { path, text });
  const { fit, problems } = await checkSpecs(parts, source, [read]);
  const [file] = fit;
  if (file === undefined) {
    const hint = "git revert it by hand in a clone, push that to origin and collect";
    throw new FactoryError("SPEC_INVALID", `the revert of ${specIds.join(", ")} is no spec that may run`, {
      fault: "user",
      hint,
      facts: { problems },
    });
  }
  const view = { task: taskIdOf(project, id), path, text, landing, reverts: merges.map(({ commit, specId }) => ({ specId, commit })) };
  if (request.dryRun === true) return { ...view, planned: false, next: null };
  await place(join(parts.dir, path), text, () => parts.commands.feed([{ spec: file.parsed.spec, digest: digestOf(text), text, path }], by));
  return { ...view, planned: true, next: nextStep(parts, project) };
}

/** The file is there before the fact: killed in between, the next feed takes it in. */
async function place(file: string, text: string, feed: () => Promise<unknown>): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { flag: "wx" });
  try {
    await feed();
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

async function landingOf({ world, repositories }: RevertParts, project: string, name: string): Promise<Landing> {
  const task = world.tasks.get(taskIdOf(project, name));
  if (task === undefined) return foundLanding(project, name, await repositories.findLanding(project, name.toLowerCase()));
  if (task.state.kind !== "merged") {
    throw refusal("NOT_ALLOWED", `${task.id} is ${task.state.kind}: nothing of it is on main`, `dispatch cancel ${task.id} gives it up`);
  }
  const found = foundLanding(project, task.state.commit, await repositories.findLanding(project, task.state.commit));
  return { ...found, merges: found.merges.filter(({ specId }) => specId === task.spec.id) };
}

function foundLanding(project: string, name: string, found: FoundLanding): Landing {
  switch (found.found) {
    case "landing":
      return found;
    case "nothing":
      throw refusal(
        "NOT_FOUND",
        `no task of ${project} and no commit on main's own line is named ${name}`,
        `dispatch report ${project} lists the landings; name a task, or a commit of git log --first-parent`,
      );
    case "several":
      throw refusal("USAGE", `${name} names ${found.commits.length} commits of main`, "give more of its digits");
    case "taken-in":
      throw refusal(
        "NOT_ALLOWED",
        `${found.commit.slice(0, 12)} (${found.subject}) came with origin, and no task of ours landed it`,
        `revert it in a clone (git revert), push that to origin, then dispatch collect ${project}`,
      );
  }
}

/** A merge is taken back once, unless that was taken back itself. */
async function refuseSecond(parts: RevertParts, project: string, merges: readonly { commit: Oid; specId: string }[]): Promise<void> {
  for (const { commit, specId } of merges) {
    const task = await standingRevert(parts, project, commit);
    if (task === undefined) continue;
    const { state } = task;
    const how = state.kind === "merged" ? `was taken back by ${task.id}` : `is being taken back by ${task.id}, which is ${state.kind}`;
    const hint =
      state.kind === "merged" ? `dispatch revert ${task.id} brings it back` : `dispatch why ${task.id}; dispatch cancel ${task.id} gives it up`;
    throw refusal("NOT_ALLOWED", `${specId} ${how}`, hint);
  }
}

async function standingRevert(parts: RevertParts, project: string, commit: Oid): Promise<Task | undefined> {
  for (const task of parts.world.tasks.values()) {
    const { state } = task;
    if (task.project !== project || state.kind === "cancelled" || !revertedBy(task.spec).includes(commit)) continue;
    if (state.kind !== "merged") return task;
    const found = await parts.repositories.findLanding(project, state.commit);
    const own = found.found === "landing" ? found.merges.find(({ specId }) => specId === task.spec.id) : undefined;
    const undone = own === undefined ? undefined : await standingRevert(parts, project, own.commit);
    if (undone?.state.kind !== "merged") return task;
  }
  return undefined;
}

/** What the lead has to do before it lands, where anything has to be done. */
function nextStep({ world, settings }: RevertParts, id: string): string | null {
  const project = world.projects.get(id);
  if (project?.placing.kind === "paused") return `${id} is paused: dispatch resume ${id} lets it run`;
  if (project?.landing.kind === "frozen") return `landing is frozen: when the revert is queued, dispatch resume ${id} lets it land`;
  return settings.scheduling().get(id)?.landing === "on-collect" ? `dispatch collect ${id} lands and publishes it` : null;
}

function refusal(code: "NOT_FOUND" | "NOT_ALLOWED" | "USAGE", message: string, hint: string): FactoryError {
  return new FactoryError(code, message, { fault: "user", hint });
}
