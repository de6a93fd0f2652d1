import { coversPath, isEnded, isGlob, type NodeSnapshot, type ProjectId, type Task, type TaskId } from "@dispatch/core";
import type { Snapshot } from "../snapshot.ts";
import { type Forecast, type ForecastOptions, forecastRun } from "./forecast-run.ts";
import { type CriticalPath, criticalPath, type LockChain, lockChains } from "./plan-run-bounds.ts";
import { planWaves } from "./plan-run-waves.ts";
import { rankTasks } from "./rank-tasks.ts";

export interface PlanOptions extends Pick<ForecastOptions, "minutesOf" | "landingMinutesOf"> {
  /** Plans with so many slots instead of those of the nodes. */
  slots?: number;
}

export interface PlanWave {
  tasks: readonly TaskId[];
  /** Sum of the minutes of its tasks. */
  minutes: number;
  /** Minutes after the start at which its first task starts and its last one ends, with the slots there are. */
  from: number;
  to: number;
}

export interface PlanHotSpot {
  /** The path or glob that is wanted. */
  entry: string;
  tasks: readonly TaskId[];
  /** Minutes for which it is locked. */
  minutes: number;
  /** Minutes by which the plan would end sooner if nobody locked it. */
  addsMinutes: number;
}

/** How a project would go with nothing else on the nodes. Minutes count from its start. */
export interface Plan {
  project: ProjectId;
  slots: number;
  /** Tasks that are not over and can be done, in the order in which they start. */
  tasks: readonly { task: TaskId; wave: number; minutes: number; from: number; to: number; node: string }[];
  waves: readonly PlanWave[];
  /** When the last task is on main; 0 when there is nothing to do. */
  minutes: number;
  workMinutes: number;
  critical: CriticalPath;
  width: { most: number; over: readonly { at: number; running: number }[] };
  /** No plan can be shorter than any of these, in minutes. */
  bounds: { criticalPath: number; workPerSlot: number; lockChain: number; lockEntry: string | null };
  hotSpots: readonly PlanHotSpot[];
  /** What can never start as things are; `rest` explains why. */
  never: readonly TaskId[];
  rest: Pick<Forecast, "rest" | "restAt">;
}

const hotSpotsShown = 5;
/** Above this many tasks the plan is not played again for every hot spot. */
const replayLimit = 1000;

/** A dry run: what a project's open tasks would do if it were started at `now` (ms since the epoch) with all nodes up and open. */
export function planRun(snapshot: Snapshot, project: ProjectId, now: number, options: PlanOptions): Plan {
  const alone = onlyProject(snapshot, project, options.slots);
  const open = [...alone.world.tasks.values()].filter((task) => !isEnded(task));
  const play = (tasks: ReadonlyMap<TaskId, Task>) =>
    forecastRun({ ...alone, world: { ...alone.world, tasks } }, now, { ...options, unhindered: true });
  const forecast = play(alone.world.tasks);
  const possible = open.filter((task) => forecast.landedAt.has(task.id));
  const slots = alone.nodes.reduce((sum, node) => sum + node.slots, 0);
  const minutes = endOf(forecast, now);
  const policy = snapshot.projects.get(project);
  const chains = lockChains(possible, policy, options.minutesOf);
  const work = possible.reduce((sum, task) => sum + options.minutesOf(task), 0);
  const critical = criticalPath(possible, options.minutesOf);
  const waves = planWaves(rankTasks(alone.world, possible), policy);
  const timed = timeTasks(forecast, waves, now, options);
  return {
    project,
    slots,
    tasks: timed,
    waves: waves.map((tasks, i) =>
      timeWave(
        tasks,
        timed.filter((row) => row.wave === i + 1),
        options,
      ),
    ),
    minutes,
    workMinutes: work,
    critical,
    width: widthOf(timed),
    bounds: {
      criticalPath: critical.minutes,
      workPerSlot: slots === 0 ? 0 : work / slots,
      lockChain: chains[0]?.minutes ?? 0,
      lockEntry: chains[0]?.entry ?? null,
    },
    hotSpots: chains.slice(0, hotSpotsShown).map((chain) => ({
      entry: chain.entry,
      tasks: chain.tasks.map((task) => task.id),
      minutes: chain.minutes,
      addsMinutes: open.length > replayLimit ? 0 : Math.max(0, minutes - endOf(play(withoutEntry(alone.world.tasks, chain)), now)),
    })),
    never: open.filter((task) => !forecast.landedAt.has(task.id)).map((task) => task.id),
    rest: forecast,
  };
}

/** The project by itself: nothing else on the nodes, which are all up and open. */
function onlyProject(snapshot: Snapshot, project: ProjectId, slots: number | undefined): Snapshot {
  const tasks = new Map([...snapshot.world.tasks].filter(([, task]) => task.project === project));
  const attempts = new Map([...snapshot.world.attempts].filter(([, attempt]) => tasks.has(attempt.task)));
  const projects = new Map([...snapshot.world.projects].filter(([id]) => id === project));
  const up = snapshot.nodes.map((node): NodeSnapshot => ({ ...node, status: { kind: "up" }, closed: null }));
  return { ...snapshot, world: { projects, tasks, attempts, nodes: new Map() }, nodes: slots === undefined ? up : withSlots(up, slots) };
}

/** Takes slots from the last nodes, or gives the first one more of everything. */
function withSlots(nodes: readonly NodeSnapshot[], slots: number): NodeSnapshot[] {
  let left = slots;
  const cut = nodes.map((node) => {
    const kept = Math.min(node.slots, left);
    left -= kept;
    return { ...node, slots: kept };
  });
  const first = cut[0];
  if (first === undefined || left === 0) return cut;
  const { cpus, memoryMb, gpus } = first.capacity;
  const times = (first.slots + left) / Math.max(1, first.slots);
  const capacity = { cpus: cpus * times, memoryMb: memoryMb * times, gpus: Math.floor(gpus * times) };
  return [{ ...first, slots: first.slots + left, capacity }, ...cut.slice(1)];
}

function endOf(forecast: Forecast, now: number): number {
  return Math.max(0, ...[...forecast.landedAt.values()].map((at) => (at - now) / 60_000));
}

function timeTasks(forecast: Forecast, waves: readonly (readonly Task[])[], now: number, options: PlanOptions): Plan["tasks"] {
  const waveOf = new Map(waves.flatMap((tasks, i) => tasks.map((task): [TaskId, { wave: number; task: Task }] => [task.id, { wave: i + 1, task }])));
  return forecast.bars.flatMap(({ task: id, node, from, to }) => {
    const known = waveOf.get(id);
    if (known === undefined) return [];
    return [
      { task: id, wave: known.wave, minutes: options.minutesOf(known.task), from: Math.max(0, from - now) / 60_000, to: (to - now) / 60_000, node },
    ];
  });
}

function timeWave(tasks: readonly Task[], timed: Plan["tasks"], options: PlanOptions): PlanWave {
  return {
    tasks: tasks.map((task) => task.id),
    minutes: tasks.reduce((sum, task) => sum + options.minutesOf(task), 0),
    from: Math.min(...timed.map((row) => row.from)),
    to: Math.max(...timed.map((row) => row.to)),
  };
}

function widthOf(timed: Plan["tasks"]): Plan["width"] {
  const steps = new Map<number, number>();
  for (const { from, to } of timed) {
    steps.set(from, (steps.get(from) ?? 0) + 1);
    steps.set(to, (steps.get(to) ?? 0) - 1);
  }
  const over: { at: number; running: number }[] = [];
  let running = 0;
  for (const [at, step] of [...steps].sort(([a], [b]) => a - b)) {
    if (step === 0) continue;
    running += step;
    over.push({ at, running });
  }
  return { most: Math.max(0, ...over.map((point) => point.running)), over };
}

function withoutEntry(tasks: ReadonlyMap<TaskId, Task>, chain: LockChain): ReadonlyMap<TaskId, Task> {
  const keeps = (pattern: string) => pattern !== chain.entry && (isGlob(chain.entry) || !coversPath(pattern, chain.entry));
  const changed = new Map(tasks);
  for (const { id } of chain.tasks) {
    const task = changed.get(id);
    if (task === undefined) continue;
    const { modifies, creates, deletes } = task.spec;
    changed.set(id, {
      ...task,
      spec: { ...task.spec, modifies: modifies.filter(keeps), creates: creates.filter(keeps), deletes: deletes.filter(keeps) },
    });
  }
  return changed;
}
