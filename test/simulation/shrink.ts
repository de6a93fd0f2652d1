import { nodeFits, type Plan, type Rates } from "./plan.ts";

/** Most runs that a search for a smaller world may take. */
const runLimit = 400;

/**
 * The smallest world found that still fails: tasks, happenings and nodes are taken out by halves, quarters and so on
 * down to single ones, then whole kinds of trouble. Always the same for the same world.
 */
export async function shrinkPlan(plan: Plan, fails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let best = plan;
  let runs = 0;

  async function take(candidate: Plan): Promise<boolean> {
    if (runs >= runLimit || !isSound(candidate)) return false;
    runs += 1;
    if (!(await fails(candidate))) return false;
    best = candidate;
    return true;
  }

  async function shrinkList<T>(list: (plan: Plan) => readonly T[], replace: (plan: Plan, items: readonly T[]) => Plan): Promise<void> {
    for (let size = Math.ceil(list(best).length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < list(best).length; ) {
        const items = list(best);
        const without = [...items.slice(0, from), ...items.slice(from + size)];
        if (!(await take(replace(best, without)))) from += size;
      }
    }
  }

  for (let before = Number.POSITIVE_INFINITY; sizeOf(best) < before && runs < runLimit; ) {
    before = sizeOf(best);
    await shrinkList(
      (one) => one.happenings,
      (one, happenings) => ({ ...one, happenings }),
    );
    await shrinkList((one) => one.tasks, withTasks);
    await shrinkList(
      (one) => one.nodes,
      (one, nodes) => keepFitting({ ...one, nodes }),
    );
    await shrinkList(
      (one) => one.projects,
      (one, projects) => keepFitting({ ...one, projects }),
    );
    for (const name of Object.keys(best.rates) as (keyof Rates)[])
      if (best.rates[name] > 0) await take({ ...best, rates: { ...best.rates, [name]: 0 } });
    for (const kind of Object.keys(best.agents) as (keyof Plan["agents"])[]) {
      if (kind !== "good" && best.agents[kind] > 0) await take({ ...best, agents: { ...best.agents, [kind]: 0 } });
    }
    for (let calmAt = Math.floor(best.calmAt / 2); calmAt > 5000; calmAt = Math.floor(calmAt / 2)) if (!(await take({ ...best, calmAt }))) break;
  }
  return best;
}

function sizeOf(plan: Plan): number {
  return plan.tasks.length + plan.happenings.length + plan.nodes.length + plan.projects.length;
}

/** Fewer tasks; nobody waits for one that is not there. */
function withTasks(plan: Plan, tasks: Plan["tasks"]): Plan {
  const left = new Set(tasks.map((task) => task.id));
  const kept = tasks.map((task) => {
    const isThere = (specId: string) => left.has(`${task.spec.project}/${specId}`);
    return { ...task, spec: { ...task.spec, dependsOn: task.spec.dependsOn.filter(isThere), after: task.spec.after.filter(isThere) } };
  });
  return keepFitting({ ...plan, tasks: kept });
}

/** Happenings of what is still there. */
function keepFitting(plan: Plan): Plan {
  const names = new Set([...plan.projects.map(({ id }) => id), ...plan.nodes.map(({ id }) => id), ...plan.tasks.map(({ id }) => id)]);
  const isThere = (name: unknown) => name === undefined || names.has(String(name));
  return {
    ...plan,
    happenings: plan.happenings.filter((one) => {
      const { node, project, task } = one as { node?: string; project?: string; task?: string };
      return isThere(node) && isThere(project) && isThere(task);
    }),
  };
}

/** A task without any node it fits on would rightly never end. */
function isSound(plan: Plan): boolean {
  if (plan.projects.length === 0 || plan.nodes.length === 0) return false;
  return plan.tasks.every(
    ({ spec }) => plan.projects.some((project) => project.id === spec.project) && plan.nodes.some((node) => nodeFits(node, spec)),
  );
}
