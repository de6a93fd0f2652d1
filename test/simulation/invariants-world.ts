import type { Attempt, Resources, Task, World } from "@dispatch/core";
import type { Life, Link } from "./life.ts";
import type { PlannedProject } from "./plan.ts";
import { nodeFits } from "./plan.ts";
import { changesContract, conflictOf, isAtWork, isOpenNode, keepsPaths, openDependency, takesSlot } from "./readings.ts";
import type { Sim } from "./sim.ts";

/** Slots, resources, placement and locks, in the world as the engine has it in memory. */
export function checkWorld(sim: Sim, world: World): void {
  const liveTasks = new Set<string>();
  const taken = new Map<string, { slots: number; resources: Resources }>();
  for (const attempt of world.attempts.values()) {
    if ((isAtWork(attempt) || attempt.state.kind === "ended") && world.nodes.get(attempt.node)?.reach.kind === "lost")
      sim.violate("8 fence", `${attempt.id} is ${attempt.state.kind} on a node that is lost`);
    if (!takesSlot(attempt)) continue;
    const task = world.tasks.get(attempt.task);
    if (isAtWork(attempt)) {
      if (liveTasks.has(attempt.task)) sim.violate("1 one live attempt", `${attempt.task} has two live attempts`);
      liveTasks.add(attempt.task);
    }
    if (task === undefined) continue;
    checkHolder(sim, attempt, task);
    const machine = sim.machines.get(attempt.node);
    if (machine === undefined || !nodeFits(machine.plan, task.spec))
      sim.violate("1 placement", `${attempt.id} is on ${attempt.node}, which does not fit`);
    const sum = taken.get(attempt.node) ?? { slots: 0, resources: { cpus: 0, memoryMb: 0, gpus: 0 } };
    taken.set(attempt.node, { slots: sum.slots + 1, resources: addResources(sum.resources, task.spec.resources) });
  }
  for (const [node, { slots, resources }] of taken) {
    const plan = sim.machines.get(node)?.plan;
    if (plan === undefined) continue;
    if (slots > plan.slots) sim.violate("1 slots", `${node} has ${slots} attempts in ${plan.slots} slots`);
    if (!fitsInto(resources, plan.capacity)) sim.violate("1 resources", `${node} gives away ${JSON.stringify(resources)}`);
  }
  checkLocks(sim, world);
  checkTrains(sim, world);
}

/** Each task that lands is in one car, and that is the one it says; one car at most moves main. */
function checkTrains(sim: Sim, world: World): void {
  const riding = new Map<string, string>();
  for (const { id, train } of world.projects.values()) {
    for (const car of train.cars) {
      if (car.members.length === 0) sim.violate("9 train", `car ${car.id} of ${id} holds nothing`);
      for (const member of car.members) {
        if (riding.has(member)) sim.violate("9 train", `${member} is in two cars of ${id}`);
        riding.set(member, car.id);
        if (world.tasks.get(member)?.state.kind !== "landing")
          sim.violate("9 train", `${member} is in car ${car.id} and ${world.tasks.get(member)?.state.kind}`);
      }
    }
    if (train.cars.filter(({ state }) => state.kind === "advancing").length > 1) sim.violate("3 main", `two cars of ${id} move main`);
  }
  for (const { id, state } of world.tasks.values()) {
    if (state.kind === "landing" && riding.get(id) !== state.car) sim.violate("9 train", `${id} lands in car ${state.car}, which does not hold it`);
  }
}

/** Of a task and an attempt of it that takes a slot. */
function checkHolder(sim: Sim, attempt: Attempt, task: Task): void {
  if (!isAtWork(attempt)) {
    if (keepsPaths(task) && "attempt" in task.state && task.state.attempt === attempt.id)
      sim.violate("8 fence", `${attempt.id} is fenced, and ${task.id} is still ${task.state.kind} with it`);
    return;
  }
  if (task.state.kind === "cancelling" && attempt.state.kind !== "stopping")
    sim.violate("session left", `${task.id} is being cancelled, and ${attempt.id} is ${attempt.state.kind}`);
  if (task.state.tries !== attempt.n) sim.violate("1 one live attempt", `${attempt.id} is live, and the newest is ${task.state.tries}`);
}

function checkLocks(sim: Sim, world: World): void {
  const holders = [...world.tasks.values()].filter(keepsPaths);
  for (const [i, one] of holders.entries()) {
    const project = projectOf(sim, one);
    for (let j = i + 1; j < holders.length; j++) {
      const other = holders[j];
      if (other === undefined || other.project !== one.project) continue;
      const conflict = conflictOf(one.spec, other.spec, project);
      if (conflict !== undefined)
        sim.violate("2 locks", `${one.id} (${one.state.kind}) and ${other.id} (${other.state.kind}) are at work together: ${conflict}`);
    }
  }
}

/** What really lives on the nodes, whatever the engine believes. */
export function checkSessions(sim: Sim): void {
  const live = new Map<string, string>();
  for (const machine of sim.machines.values()) {
    let count = 0;
    for (const session of machine.sessions.values()) {
      if (!session.alive || session.ghost || session.job === undefined) continue;
      if (sim.abandoned.has(session.id)) continue;
      count += 1;
      if (sim.ledger.attempts.get(session.id)?.state.kind === "fenced") continue;
      const task = `${session.job.project}/${session.job.specId}`;
      const other = live.get(task);
      if (other !== undefined) sim.violate("1 one live attempt", `${other} and ${session.id} live at once`);
      live.set(task, session.id);
      const state = sim.ledger.tasks.get(task)?.state.kind;
      if (state !== undefined && !["starting", "running", "cancelling"].includes(state))
        sim.violate("session left", `${session.id} lives on ${machine.plan.id}, and its task is ${state}`);
    }
    if (count > machine.plan.slots) sim.violate("1 slots", `${count} sessions live on ${machine.plan.id}, which has ${machine.plan.slots} slots`);
  }
}

/** When nothing is left to do in this moment: no task that could start, and no landing that could begin, was left lying. */
export function checkIdle(sim: Sim, life: Life): void {
  const world = life.engine?.world;
  if (world === undefined) return;
  const now = sim.timeline.now();
  const holders = [...world.tasks.values()].filter(keepsPaths);
  for (const task of world.tasks.values()) {
    if (task.state.kind !== "planned" && !(task.state.kind === "backoff" && task.state.until <= now)) continue;
    const project = world.projects.get(task.project);
    if (project === undefined || project.placing.kind === "paused" || openDependency(world, task) !== undefined) continue;
    const rules = projectOf(sim, task);
    if (holders.some((holder) => holder.project === task.project && conflictOf(task.spec, holder.spec, rules) !== undefined)) continue;
    const node = freeNode(life, world, task);
    if (node !== undefined && !isHeldBack(sim, life, world, task))
      sim.violate("7 gridlock", `${task.id} is ready, no lock stands in its way, ${node} has room, and nothing happens`);
  }
  checkLandings(sim, world);
}

/** A task counts one class more urgent for every day that it waits. */
const agingMs = 24 * 3_600_000;

/** As urgent as the most urgent of all that wait for it. */
function urgencyOf(world: World, task: Task, seen: ReadonlySet<string> = new Set()): number {
  let best: number = task.spec.priority;
  for (const other of world.tasks.values()) {
    if (other.project !== task.project || seen.has(other.id) || other.state.kind === "merged" || other.state.kind === "cancelled") continue;
    if (other.spec.dependsOn.includes(task.spec.id) || other.spec.after.includes(task.spec.id))
      best = Math.min(best, urgencyOf(world, other, new Set([...seen, task.id])));
  }
  return best;
}

/**
 * Two policies keep a task from starting although nothing but another waiting task stands in its way. Whoever changes the
 * contract lets its project run dry first. And one that is at least as urgent, and waits for a lock that somebody holds now,
 * claims its own locks against those behind it; not where landing waits for a person, for then nobody knows how long.
 */
function isHeldBack(sim: Sim, life: Life, world: World, task: Task): boolean {
  const rules = projectOf(sim, task);
  const isLandingItself = rules.landing === "continuous" && world.projects.get(task.project)?.landing.kind === "open";
  const now = sim.timeline.now();
  const isBlocked = (other: Task) =>
    [...world.tasks.values()].some(
      (holder) => holder.project === other.project && keepsPaths(holder) && conflictOf(other.spec, holder.spec, rules) !== undefined,
    );
  for (const other of world.tasks.values()) {
    if (other.project !== task.project || other.id === task.id) continue;
    if (other.state.kind !== "planned" && !(other.state.kind === "backoff" && other.state.until <= now)) continue;
    if (openDependency(world, other) !== undefined || conflictOf(task.spec, other.spec, rules) === undefined) continue;
    if (changesContract(other.spec, rules) && openLinks(life, world).some((link) => nodeFits(link.machine.plan, other.spec))) return true;
    const urgency = urgencyOf(world, other) - Math.floor((now - other.plannedAt) / agingMs);
    if (isLandingItself && Math.max(0, urgency) <= task.spec.priority && isBlocked(other) && freeNode(life, world, other) !== undefined) return true;
  }
  return false;
}

/** To nodes that take tasks. */
function openLinks(life: Life, world: World): Link[] {
  return [...life.links.values()].filter((link) => link.up && !link.leaving && isOpenNode(world, link.machine.plan.id));
}

function freeNode(life: Life, world: World, task: Task): string | undefined {
  for (const link of openLinks(life, world)) {
    const { plan } = link.machine;
    if (!nodeFits(plan, task.spec)) continue;
    let slots = 0;
    let resources: Resources = task.spec.resources;
    for (const attempt of world.attempts.values()) {
      if (attempt.node !== plan.id || !takesSlot(attempt)) continue;
      slots += 1;
      const other = world.tasks.get(attempt.task);
      if (other !== undefined) resources = addResources(resources, other.spec.resources);
    }
    if (slots < plan.slots && fitsInto(resources, plan.capacity)) return plan.id;
  }
  return undefined;
}

function checkLandings(sim: Sim, world: World): void {
  for (const project of world.projects.values()) {
    const { collect } = project;
    const tasks = [...world.tasks.values()].filter((task) => task.project === project.id);
    const inLine = tasks.filter((task) => task.state.kind === "queued" || task.state.kind === "landing");
    if (collect.kind === "landing" && !inLine.some((task) => collect.tasks.includes(task.id)))
      sim.violate("7 gridlock", `the collect of ${project.id} has landed everything, and nothing is published`);
    if (project.landing.kind === "frozen" || collect.kind === "taking-in" || collect.kind === "publishing") continue;
    if (inLine.some((task) => task.state.kind === "landing")) continue;
    const rules = sim.plan.projects.find((one) => one.id === project.id);
    const mayLand = inLine.find((task) => rules?.landing === "continuous" || (collect.kind === "landing" && collect.tasks.includes(task.id)));
    if (mayLand !== undefined) sim.violate("7 gridlock", `${mayLand.id} could land, nothing else lands, and nothing happens`);
  }
}

function projectOf(sim: Sim, task: Task): PlannedProject {
  const project = sim.plan.projects.find((one) => one.id === task.project);
  if (project === undefined) throw new Error(`no project ${task.project}`);
  return project;
}

function addResources(left: Resources, right: Resources): Resources {
  return { cpus: left.cpus + right.cpus, memoryMb: left.memoryMb + right.memoryMb, gpus: left.gpus + right.gpus };
}

function fitsInto(need: Resources, capacity: Resources): boolean {
  return need.cpus <= capacity.cpus && need.memoryMb <= capacity.memoryMb && need.gpus <= capacity.gpus;
}
