import { isFactoryError, type Project, type ProjectId, type Task, type TaskId, type TaskSpec } from "@dispatch/core";
import type { Engine, SpecFile } from "@dispatch/engine";
import type { Controller } from "./controller.ts";
import type { LeadAct } from "./plan.ts";
import type { Sim } from "./sim.ts";
import { changedPaths, isTreeGreen, withPaths } from "./truth.ts";

const lookAgainMs = 4000;

/** The person in front of the factory: hands specs in, edits, cancels, retries, and in the end tidies up. */
export interface Lead {
  act(act: LeadAct): void;
  start(project: ProjectId): void;
  /** Hands a spec in, and again until it was taken. */
  feed(task: TaskId): void;
  /** Whatever keeps work from ending is dealt with: parked tasks are retried, frozen projects resumed, closed nodes opened, collects made. */
  tidyUp(): void;
}

export function createLead(sim: Sim, controller: Controller): Lead {
  const specs = new Map<TaskId, TaskSpec>(sim.plan.tasks.map((task) => [task.id, task.spec]));
  let edits = 0;

  /** Commands fail with words for people; anything else is a defect. Nobody answers while no daemon runs. */
  function command(what: string, ask: (engine: Engine) => Promise<unknown>): void {
    const life = controller.life();
    if (life?.engine === undefined || !life.started || life.closing) {
      sim.note(`${what}: no daemon answers`);
      return;
    }
    ask(life.engine).catch((error: unknown) => {
      if (!life.alive || life.closing) return;
      if (isFactoryError(error)) sim.note(`${what}: ${error.code}`);
      else sim.violate("command failed", `${what}: ${error instanceof Error ? error.stack : String(error)}`);
    });
  }

  function edited(task: TaskId, change: Partial<TaskSpec>): SpecFile | undefined {
    const spec = specs.get(task);
    if (spec === undefined) return undefined;
    edits += 1;
    const next = spec.type === "contract" ? { ...spec, ...change, modifies: spec.modifies } : { ...spec, ...change };
    return fileOf(next, `edit ${edits}`);
  }

  function start(project: ProjectId): void {
    if (controller.life()?.engine?.world.projects.has(project) === true) return;
    command(`the lead starts ${project}`, (engine) => engine.commands.startProject(project));
    sim.timeline.after(lookAgainMs, `the lead looks whether ${project} was started`, () => start(project));
  }

  function feed(task: TaskId): void {
    const spec = specs.get(task);
    if (spec === undefined || controller.life()?.engine?.world.tasks.has(task) === true) return;
    command(`the lead feeds ${task}`, (engine) => engine.commands.feed([fileOf(spec, "first")]));
    sim.timeline.after(lookAgainMs, `the lead looks whether ${task} was taken`, () => feed(task));
  }

  function act(wish: LeadAct): void {
    switch (wish.do) {
      case "revise": {
        const file = edited(wish.task, wish.change);
        if (file !== undefined) command(`revise ${wish.task}`, (engine) => engine.commands.feed([file]));
        return;
      }
      case "retry-edited": {
        const file = edited(wish.task, wish.change);
        if (file !== undefined) command(`retry ${wish.task} edited`, (engine) => engine.commands.retry(wish.task, "lead", file));
        return;
      }
      case "retry":
        command(`retry ${wish.task}`, (engine) => engine.commands.retry(wish.task, "lead"));
        return;
      case "cancel":
        command(`cancel ${wish.task}`, (engine) => engine.commands.cancel(wish.task, "lead"));
        return;
      case "pause":
        command(`pause ${wish.project}`, (engine) => engine.commands.pauseProject(wish.project, "lead"));
        return;
      case "resume":
        command(`resume ${wish.project}`, (engine) => engine.commands.startProject(wish.project));
        return;
      case "collect":
        command(`collect ${wish.project}`, (engine) => engine.commands.collect(wish.project, "lead"));
        return;
      case "cordon":
        command(`cordon ${wish.node}`, (engine) => engine.commands.cordonNode(wish.node, "lead", wish.drain));
        return;
      case "uncordon":
        command(`uncordon ${wish.node}`, (engine) => engine.commands.uncordonNode(wish.node, "lead"));
        return;
      case "abandon":
        command(`abandon ${wish.node}`, (engine) => {
          sim.gaveUp.add(wish.node);
          return engine.commands.abandonNode(wish.node, "lead").catch((error: unknown) => {
            sim.gaveUp.delete(wish.node);
            throw error;
          });
        });
        return;
      case "stop-all":
        command("stop all", (engine) => engine.commands.stopAttempts("the lead says so"));
        return;
    }
  }

  return {
    act,
    start,
    feed,
    tidyUp() {
      const world = controller.life()?.engine?.world;
      if (world === undefined) return;
      for (const project of world.projects.values()) tidyProject(sim, project, [...world.tasks.values()], act);
      for (const task of world.tasks.values()) tidyTask(sim, task, world.tasks, act);
      for (const node of world.nodes.values()) if (node.placing.kind !== "open") act({ do: "uncordon", node: node.id });
      for (const machine of sim.machines.values()) {
        for (const session of machine.sessions.values()) {
          // What sits there without a word is stopped by hand.
          const last = session.log.get(session.last);
          const isOurs = world.attempts.get(session.id)?.endedAt === 0;
          if (session.alive && isOurs && last !== undefined && sim.timeline.now() - last.at > sim.plan.paceMs + 300_000)
            return act({ do: "stop-all" });
        }
      }
    },
  };
}

function tidyProject(sim: Sim, project: Project, tasks: readonly Task[], act: (act: LeadAct) => void): void {
  const { id } = project;
  if (project.placing.kind === "paused" || project.landing.kind === "frozen") act({ do: "resume", project: id });
  const { collect } = project;
  if (collect.kind !== "idle") return;
  const isRed = collect.last?.outcome === "stopped" || project.landing.kind === "frozen";
  if (isRed) mendOrigin(sim, id);
  const policy = sim.plan.projects.find((one) => one.id === id)?.landing;
  const queued = tasks.some((task) => task.project === id && task.state.kind === "queued");
  if ((policy === "on-collect" && queued) || isRed) act({ do: "collect", project: id });
}

function tidyTask(sim: Sim, task: Task, tasks: ReadonlyMap<TaskId, Task>, act: (act: LeadAct) => void): void {
  if (task.state.kind === "parked") {
    act({ do: "retry", task: task.id });
    return;
  }
  if (task.state.kind !== "planned") return;
  for (const specId of task.spec.dependsOn) {
    const before = tasks.get(`${task.project}/${specId}`);
    if (before === undefined ? !sim.plan.tasks.some((one) => one.id === `${task.project}/${specId}`) : before.state.kind === "cancelled") {
      act({ do: "cancel", task: task.id });
      return;
    }
  }
}

/** Merges by hand what the factory cannot, and mends what is red on origin. */
function mendOrigin(sim: Sim, project: ProjectId): void {
  const { truth } = sim;
  const hub = truth.hub(project);
  const origin = truth.object(hub.origin);
  const main = truth.object(hub.main);
  const theirs = changedPaths(main.tree, origin.tree).filter((path) => origin.tree.get(path)?.startsWith("outside") === true);
  const red = [...main.tree].filter(([, blob]) => blob.includes("!red")).map(([path]) => path);
  const merged = withPaths(
    main.tree,
    [...theirs, ...red].map((path) => [path, ((theirs.includes(path) ? origin : main).tree.get(path) ?? "").replaceAll("!red", "mended")] as const),
  );
  if (isTreeGreen(merged)) hub.origin = truth.commit(merged, [hub.origin, hub.main], "merged by hand").oid;
}

function fileOf(spec: TaskSpec, text: string): SpecFile {
  return { spec, digest: `${spec.id} ${text}`, text, path: `specs/${spec.project}/${spec.id}.md` };
}
