import { isEnded, type ProjectId, type Task } from "@dispatch/core";
import { createEstimator, type ForecastOptions, forecastRun, isOpen, remainingPaths, type Snapshot } from "@dispatch/scheduler";

/** Above this many open tasks the end is reckoned from bounds: playing them all forward would take too long for a status. */
const playedTasks = 400;

/**
 * When the work that can go on by itself will have ended, in ms since the epoch: the scheduler's own decisions
 * played forward. Null when nothing can go on.
 */
function estimateEnd(snapshot: Snapshot, tasks: readonly Task[], now: number): number | null {
  const open = tasks.filter((task) => !isEnded(task));
  if (open.length === 0) return null;
  if (open.length > playedTasks) return estimateByBounds(snapshot, open, now);
  const ids = new Set(open.map((task) => task.id));
  const forecast = forecastRun(snapshot, now, expectations(snapshot));
  const ends = [
    ...forecast.bars.flatMap((bar) => (ids.has(bar.task) ? [bar.to] : [])),
    ...[...forecast.landedAt].flatMap(([id, at]) => (ids.has(id) ? [at] : [])),
  ];
  return ends.length === 0 ? null : Math.max(...ends);
}

/** For how long an estimate is good enough, in ms: playing forward costs more than everything else of a status. */
const keptMs = 2000;

/** As estimateEnd for one project or all, worked out again at most every two seconds. */
export function createEndEstimator(): (snapshot: Snapshot, project: string | undefined, now: number) => number | null {
  const kept = new Map<string, { at: number; end: number | null }>();
  return (snapshot, project, now) => {
    const tasks = [...snapshot.world.tasks.values()].filter((task) => project === undefined || task.project === project);
    if (tasks.every(isEnded)) return null;
    const known = kept.get(project ?? "");
    if (known !== undefined && now - known.at < keptMs && now >= known.at) return known.end;
    const end = estimateEnd(snapshot, tasks, now);
    kept.set(project ?? "", { at: now, end });
    return end;
  };
}

/** When a task is expected to start, in ms since the epoch; null when it never will as things are, or that is too much to play forward. */
export function expectedStart(snapshot: Snapshot, task: Task, now: number): number | null {
  const open = [...snapshot.world.tasks.values()].filter((other) => !isEnded(other)).length;
  if (open > playedTasks) return null;
  return forecastRun(snapshot, now, expectations(snapshot)).bars.find((bar) => bar.task === task.id)?.from ?? null;
}

/** What sessions and landings are expected to take: corrected estimates, and landings as verified so far. */
export function expectations(snapshot: Snapshot): Pick<ForecastOptions, "minutesOf" | "landingMinutesOf"> {
  const landing = landingMinutes(snapshot);
  return { minutesOf: createEstimator(snapshot), landingMinutesOf: (project) => landing.get(project) ?? 0 };
}

/** A landing takes about as long as the verify commands took in the rounds of its project, the average of them. */
function landingMinutes({ world }: Snapshot): ReadonlyMap<ProjectId, number> {
  const sums = new Map<ProjectId, { ms: number; rounds: number }>();
  for (const attempt of world.attempts.values()) {
    const project = world.tasks.get(attempt.task)?.project;
    if (project === undefined) continue;
    const sum = sums.get(project) ?? { ms: 0, rounds: 0 };
    const checks = attempt.rounds.flatMap(({ checked }) => (checked === null ? [] : [checked.verifyMs]));
    sums.set(project, { ms: checks.reduce((ms, one) => ms + one, sum.ms), rounds: sum.rounds + checks.length });
  }
  return new Map([...sums].map(([project, { ms, rounds }]) => [project, rounds === 0 ? 0 : ms / rounds / 60_000]));
}

/** The larger of the longest chain and the work spread over all slots. */
function estimateByBounds(snapshot: Snapshot, open: readonly Task[], now: number): number {
  const slots = Math.max(
    1,
    snapshot.nodes.reduce((sum, node) => sum + (isOpen(node) ? node.slots : 0), 0),
  );
  const paths = remainingPaths(snapshot.world);
  const longest = open.reduce((most, task) => Math.max(most, paths.get(task.id) ?? 0), 0);
  const minutesOf = createEstimator(snapshot);
  const work = open.reduce((sum, task) => sum + minutesOf(task), 0);
  return now + Math.max(longest, work / slots) * 60_000;
}
