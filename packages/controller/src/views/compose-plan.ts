import { splitTaskId } from "@dispatch/core";
import type { PlanView, SpecProblem } from "@dispatch/protocol";
import { createCauseFinder, type Explanation, planRun, type Snapshot } from "@dispatch/scheduler";
import { expectations } from "./estimate-end.ts";
import { explainText } from "./explain-text.ts";

export interface PlanInput {
  snapshot: Snapshot;
  project: string;
  slots: number | undefined;
  /** Spec files that are not fed yet and stand in the snapshot as tasks. */
  unfed: number;
  problems: readonly SpecProblem[];
}

/** A dry run of a project from `now` (ms since the epoch) on. */
export function composePlan({ snapshot, project, slots, unfed, problems }: PlanInput, now: number): PlanView {
  const plan = planRun(snapshot, project, now, { ...expectations(snapshot), ...(slots === undefined ? {} : { slots }) });
  const { rest, restAt } = plan.rest;
  const causeOf = createCauseFinder(rest, restAt);
  const { tasks } = snapshot.world;
  return {
    project,
    at: now,
    slots: plan.slots,
    unfed,
    tasks: plan.tasks.map(({ task, ...row }) => ({ id: task, title: tasks.get(task)?.spec.title ?? "", ...row })),
    waves: plan.waves,
    minutes: plan.minutes,
    workMinutes: plan.workMinutes,
    critical: plan.critical,
    width: plan.width,
    bounds: plan.bounds,
    hotSpots: plan.hotSpots,
    never: plan.never.flatMap((id) => {
      const task = rest.world.tasks.get(id);
      if (task === undefined) return [];
      const cause = causeOf(task);
      const root = rest.world.tasks.get(cause.task) ?? task;
      const { because } = explainText(task, cause.chain[0]?.explanation ?? cause.explanation, now);
      const file = fileLeftOut(cause.explanation, problems);
      return [{ id, because, release: file === undefined ? explainText(root, cause.explanation, now).release : `mend ${file}` }];
    }),
    assumes: assumptions(snapshot, project),
    problems,
  };
}

/** The file of a spec that is waited for and was left out because of its errors. */
function fileLeftOut(explanation: Explanation, problems: readonly SpecProblem[]): string | undefined {
  if (explanation.kind !== "dependency" || explanation.state !== "unknown") return undefined;
  const name = `/${splitTaskId(explanation.task).specId}.md`;
  return problems.find((problem) => problem.severity === "error" && problem.file.endsWith(name))?.file;
}

function assumptions({ projects, nodes, world }: Snapshot, project: string): string[] {
  const assumes = ["every task passes at its first attempt in its estimated time"];
  if (projects.get(project)?.landing === "on-collect") assumes.push("you collect as soon as something is done");
  const others = [...world.tasks.values()].filter(
    (task) => task.project !== project && task.state.kind !== "merged" && task.state.kind !== "cancelled",
  );
  if (others.length > 0) assumes.push(`the ${others.length} open tasks of other projects leave the nodes alone`);
  const down = nodes.filter((node) => node.status.kind === "down").map((node) => node.id);
  if (down.length > 0) assumes.push(`${down.join(", ")} ${down.length === 1 ? "is" : "are"} up again`);
  return assumes;
}
