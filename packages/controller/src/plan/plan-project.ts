import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  emptyWorld,
  evolve,
  FactoryError,
  type FactoryEvent,
  type NodeSnapshot,
  plainNode,
  type Task,
  taskIdOf,
  type World,
  withChange,
} from "@dispatch/core";
import { factoryPaths, type PlanView, type SpecProblem } from "@dispatch/protocol";
import type { SchedulingPolicy } from "@dispatch/scheduler";
import { parseSpec } from "@dispatch/spec";
import { createSqliteLedger } from "@dispatch/store";
import { type FactoryConfig, loadFactory } from "../config/load-factory.ts";
import { nodeOffer } from "../config/node-offers.ts";
import { schedulingOf } from "../config/settings.ts";
import { type FoundSpec, findSpecFiles } from "../factory/find-spec-files.ts";
import { lintFactory } from "../factory/lint-factory.ts";
import { composePlan } from "../views/compose-plan.ts";

/** What a dry run starts from. */
export interface PlanGround {
  world: World;
  nodes: readonly NodeSnapshot[];
  projects: ReadonlyMap<string, SchedulingPolicy>;
}

/**
 * A dry run of a project with its fed specs and those that lie in the factory's folders and have no errors.
 * Needs no daemon. Throws NOT_FOUND for a project that is not registered.
 */
export async function planProject(dir: string, project: string, slots?: number): Promise<PlanView> {
  const config = await loadFactory(dir);
  return planFrom(config.dir, project, slots, {
    world: await recordedWorld(config.dir),
    nodes: configuredNodes(config),
    projects: schedulingOf(config),
  });
}

/** As planProject, from what a daemon knows. */
export async function planFrom(dir: string, project: string, slots: number | undefined, ground: PlanGround): Promise<PlanView> {
  if (!ground.projects.has(project)) {
    throw new FactoryError("NOT_FOUND", `project ${project} is not registered`, {
      fault: "user",
      hint: `dispatch project add ${project} --repo PATH_OR_URL --verify "CMD"`,
    });
  }
  const files = await findSpecFiles(dir, project);
  const problems = files.length === 0 ? [] : await problemsOf(dir, project, files);
  const now = Date.now();
  const { world, unfed } = withFiles(ground.world, project, fit(files, problems), now);
  return composePlan({ snapshot: { world, nodes: ground.nodes, projects: ground.projects }, project, slots, unfed, problems }, now);
}

/** What lint says of these files, named relative to the factory. */
async function problemsOf(dir: string, project: string, files: readonly FoundSpec[]): Promise<SpecProblem[]> {
  const byPath = new Map(files.map((file) => [resolve(dir, file.path), file.path]));
  const problems = await lintFactory(dir, [], { project });
  return problems.flatMap((problem) => {
    const path = byPath.get(resolve(problem.file));
    return path === undefined ? [] : [{ ...problem, file: path }];
  });
}

function fit(files: readonly FoundSpec[], problems: readonly SpecProblem[]): readonly FoundSpec[] {
  const wrong = new Set(problems.filter((problem) => problem.severity === "error").map((problem) => problem.file));
  return files.filter((file) => !wrong.has(file.path));
}

/** The world as a feed of these files would make it. Tasks that have run keep the spec they were fed with. */
function withFiles(start: World, project: string, files: readonly FoundSpec[], now: number): { world: World; unfed: number } {
  const main = "0".repeat(40);
  let world = start.projects.has(project) ? start : follow(start, { type: "project-started", project, main }, now);
  let unfed = 0;
  for (const file of files) {
    const parsed = parseSpec({ text: file.text, file: file.path, defaults: { project } });
    if (parsed.outcome !== "parsed" || parsed.spec.project !== project) continue;
    const task = taskIdOf(project, parsed.spec.id);
    const known: Task | undefined = world.tasks.get(task);
    if (known !== undefined && (known.text === file.text || known.state.kind !== "planned" || known.state.tries > 0)) continue;
    const facts = { task, spec: parsed.spec, digest: "", text: file.text, path: file.path, by: "plan" };
    world = follow(world, known === undefined ? { type: "task-planned", ...facts } : { type: "spec-revised", ...facts }, now);
    unfed++;
  }
  return { world, unfed };
}

function follow(world: World, event: FactoryEvent, at: number): World {
  const evolution = evolve(world, event, at);
  if (evolution.outcome !== "moved") throw new Error(`${event.type} does not follow: ${evolution.because}`);
  return withChange(world, evolution.change);
}

async function recordedWorld(dir: string): Promise<World> {
  const file = join(dir, factoryPaths.ledger);
  if (!existsSync(file)) return emptyWorld();
  const ledger = createSqliteLedger(file);
  try {
    return ledger.load().world;
  } finally {
    await ledger.close();
  }
}

/** The nodes of nodes.json as if all were up and idle. */
function configuredNodes({ nodes }: FactoryConfig): NodeSnapshot[] {
  return nodes.nodes.map((node) => {
    const { name: id, ...offer } = nodeOffer(node);
    return { id, ...offer, slots: node.slots, lowPriority: node.low_priority, load: null, status: { kind: "up" }, ...plainNode };
  });
}
