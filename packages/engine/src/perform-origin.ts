import {
  FactoryError,
  type FactoryEvent,
  type Oid,
  type Project,
  type ProjectId,
  type ProjectSource,
  type TakeInOutcome,
  type World,
} from "@dispatch/core";
import { judgeCommit } from "./judge-commit.ts";
import { contractFacts } from "./perform-contract.ts";
import type { LandingPorts } from "./ports.ts";

/** Takes commits that others pushed to origin into main, after the tests passed on both together. */
export async function takeInOrigin(ports: LandingPorts, world: World, id: ProjectId): Promise<FactoryEvent[]> {
  const project = world.projects.get(id);
  const source = ports.settings.sourceOf(id);
  if (project?.collect.kind !== "taking-in") return [];
  if (source === undefined) return [stopped(project, new FactoryError("NOT_FOUND", `project ${id} is not in dispatch.yaml any more`))];
  try {
    const taken = await ports.repositories.takeInOrigin(source);
    switch (taken.outcome) {
      case "unchanged":
        // A daemon that was killed right after main had moved finds its own work done here.
        return [
          { type: "origin-taken-in", project: id, main: taken.main, commits: 0 },
          ...(await contractFacts(ports, id, project.main, taken.main)),
        ];
      case "conflict":
        return [stopped(project, conflictWithOrigin(taken, source))];
      case "ahead":
        return await adopt(ports, project, taken.candidate, taken.commits);
    }
  } catch (error) {
    return [stopped(project, error)];
  }
}

async function adopt(ports: LandingPorts, project: Project, candidate: Oid, commits: number): Promise<FactoryEvent[]> {
  const { verify } = await ports.settings.policyAt(project.id, candidate);
  const verdict = await judgeCommit(ports, { project: project.id, commit: candidate, verify, run: `${project.id}@${candidate}` });
  if (verdict.kind !== "green") {
    const error = new FactoryError(
      "ORIGIN_CONFLICT",
      `with ${commits} new commits of origin the tests are red: ${verdict.kind === "red" ? (verdict.findings[0]?.found ?? "no test ran") : verdict.because}`,
      {
        fault: "user",
        hint: "mend it on origin's branch, then collect again; what has landed here stays in the hub",
      },
    );
    return [stopped(project, error)];
  }
  // Asked before main moves: what fails later would stop the collect with the move unrecorded.
  const contract = await contractFacts(ports, project.id, project.main, candidate);
  const main = await ports.repositories.mainOf(project.id);
  const advanced = await ports.repositories.advanceMain(project.id, candidate, main);
  if (advanced.outcome === "main-moved") throw new FactoryError("MAIN_MOVED", "main moved while origin was taken in", { retry: "later" });
  return [{ type: "origin-taken-in", project: project.id, main: candidate, commits }, ...contract];
}

/** Pushes main to origin, by fast-forward only. */
export async function publishMain(ports: LandingPorts, world: World, id: ProjectId): Promise<FactoryEvent[]> {
  const project = world.projects.get(id);
  const source = ports.settings.sourceOf(id);
  if (project?.collect.kind !== "publishing" || source === undefined) return [];
  try {
    const published = await ports.repositories.publishMain(source);
    if (published.outcome === "published") return [{ type: "main-published", project: id, commit: published.commit }];
    return [{ type: "origin-moved", project: id }];
  } catch (error) {
    return [stopped(project, error)];
  }
}

function stopped(project: Project, error: unknown): FactoryEvent {
  if (!(error instanceof FactoryError)) throw error;
  return { type: "collect-stopped", project: project.id, code: error.code, because: error.message, hint: error.hint ?? "" };
}

function conflictWithOrigin(taken: Extract<TakeInOutcome, { outcome: "conflict" }>, source: ProjectSource): FactoryError {
  const { paths, origin, hub } = taken;
  return new FactoryError("ORIGIN_CONFLICT", `origin's ${origin.slice(0, 12)} and what landed here both changed ${paths.join(", ")}`, {
    fault: "user",
    hint: `in a clone of the project, on ${source.branch}: git pull, git fetch ${hub} main, git merge FETCH_HEAD, resolve, push; then collect again`,
  });
}
