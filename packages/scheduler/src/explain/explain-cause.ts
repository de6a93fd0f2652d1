import type { ProjectId, Task, TaskId } from "@dispatch/core";
import type { Snapshot } from "../snapshot.ts";
import { createExplainer, type Explanation } from "./explain-task.ts";

/** One link of the chain from a task to what it waits for in the end. */
export interface CauseLink {
  task: TaskId;
  explanation: Explanation;
}

/** What a task waits for in the end. */
export interface Cause {
  /** Tasks with equal keys wait for the same thing. */
  key: string;
  project: ProjectId;
  /** The last task of the chain; its explanation is the cause. */
  task: TaskId;
  explanation: Explanation;
  /** Who releases it: the factory by itself, time alone, or the lead. A cycle is released by nobody. */
  needs: "factory" | "time" | "lead" | "nobody";
  /** From the task that was asked for to the last one. */
  chain: readonly CauseLink[];
}

/** Follows each task's own explanation to the root of its chain; what the answers share is worked out once. */
export function createCauseFinder(snapshot: Snapshot, now: number): (task: Task) => Cause {
  const explain = createExplainer(snapshot, now);
  const known = new Map<TaskId, Explanation>();

  function explanationOf(task: Task): Explanation {
    const explanation = known.get(task.id) ?? explain(task);
    known.set(task.id, explanation);
    return explanation;
  }

  return (start) => {
    const chain: CauseLink[] = [];
    const seen = new Set<TaskId>();
    for (let task = start; ; ) {
      const explanation = explanationOf(task);
      chain.push({ task: task.id, explanation });
      seen.add(task.id);
      const nextId = waitsFor(explanation);
      const next = nextId === undefined ? undefined : snapshot.world.tasks.get(nextId);
      if (next === undefined) return { ...rootOf(task, explanation), project: task.project, task: task.id, explanation, chain };
      if (seen.has(next.id)) {
        const circle = chain.slice(chain.findIndex((link) => link.task === next.id)).map((link) => link.task);
        return { key: `cycle ${circle.sort().join(" ")}`, needs: "nobody", project: task.project, task: task.id, explanation, chain };
      }
      task = next;
    }
  };
}

/** The task that has to move first; undefined when the explanation is a cause itself. */
function waitsFor(explanation: Explanation): TaskId | undefined {
  if (explanation.kind === "dependency") {
    return explanation.state === "cancelled" || explanation.state === "unknown" ? undefined : explanation.task;
  }
  if (explanation.kind === "lock") return explanation.holder;
  if (explanation.kind === "reserved") return explanation.by;
  if (explanation.kind === "contract-barrier") return explanation.task;
  return explanation.kind === "waits-to-land" ? explanation.behind[0] : undefined;
}

function rootOf(task: Task, explanation: Explanation): Pick<Cause, "key" | "needs"> {
  const ofProject = `${explanation.kind} ${task.project}`;
  const ofTask = `${explanation.kind} ${task.id}`;
  switch (explanation.kind) {
    case "project-not-configured":
    case "project-paused":
    case "waits-for-collect":
    case "landing-frozen":
      return { key: ofProject, needs: "lead" };
    case "waits-for-origin":
      return { key: ofProject, needs: "factory" };
    case "dependency":
      return { key: `${explanation.kind} ${explanation.task}`, needs: "lead" };
    case "parked":
      return { key: ofTask, needs: "lead" };
    case "no-node-fits":
      return { key: `${ofProject} ${JSON.stringify(explanation.nearest)}`, needs: "lead" };
    case "nodes-down":
    case "nodes-closed":
      return { key: `${explanation.kind} ${explanation.nodes.map(({ node, by }) => `${node} ${by}`).join(" ")}`, needs: "lead" };
    case "resource":
      return { key: `${explanation.kind} ${explanation.resource}`, needs: "factory" };
    case "slot":
      return { key: explanation.kind, needs: "factory" };
    case "about-to-start":
      return { key: explanation.kind, needs: "factory" };
    case "backoff":
      return { key: ofTask, needs: "time" };
    case "lock":
    case "reserved":
    case "contract-barrier":
    case "at-work":
    case "being-collected":
    case "being-checked":
    case "waits-to-land":
    case "landing":
    case "being-cancelled":
    case "merged":
    case "cancelled":
      return { key: ofTask, needs: "factory" };
  }
}
