import type { Change, NodeSnapshot, ProjectId } from "@dispatch/core";
import { type LandingDecision, planLandings } from "../plan-landings.ts";
import { classOf, nextChangeAt, priorityToStart } from "../rank.ts";
import { isOver, readySince, wantsToStart } from "../readiness.ts";
import type { SchedulingPolicy, Snapshot } from "../snapshot.ts";
import { type BoardState, bucketOf, createBoardState, dropBucket, type ProjectBoard, projectOf } from "./board-state.ts";
import { followChange } from "./follow-facts.ts";
import { heapFix, heapPush, heapRemove } from "./heap.ts";
import { setRooms } from "./node-rooms.ts";
import { type Placement, pickPlacements } from "./pick-placements.ts";
import { type Bucket, type Entry, joinGroup, leaveGroup, rerank } from "./waiting-line.ts";

export type Decision = Placement | LandingDecision;

/** What is to be decided, kept from fact to fact. Tells at every moment what `decide` tells of the same facts. */
export interface Board {
  /** Rows as `evolve` returns them. */
  update(change: Pick<Change, "projects" | "tasks" | "attempts">): void;
  setNodes(nodes: readonly NodeSnapshot[]): void;
  /** Rebuilds everything when it is another map than before. */
  setProjects(projects: ReadonlyMap<ProjectId, SchedulingPolicy>): void;
  /** What should start now; `now` in ms since the epoch. Changes nothing: the same is decided again until it is recorded. */
  decide(now: number): Decision[];
  /** When a decision may change only because time has passed, in ms since the epoch; undefined when never. */
  nextDecisionAt(now: number): number | undefined;
}

export function createBoard({ world, nodes, projects }: Snapshot): Board {
  let state = createBoardState(projects);
  setRooms(state.rooms, nodes);
  followChange(state, { projects: [...world.projects.values()], tasks: [...world.tasks.values()], attempts: [...world.attempts.values()] });
  return {
    update: (change) => followChange(state, change),
    setNodes: (next) => setRooms(state.rooms, next),
    setProjects(next) {
      if (next === state.policies) return;
      const before = state;
      state = createBoardState(next);
      setRooms(state.rooms, before.rooms.nodes);
      followChange(state, { projects: [...before.rows.values()], tasks: [...before.tasks.values()], attempts: [...before.attempts.values()] });
    },
    decide(now) {
      refresh(state, now);
      return [...landings(state), ...pickPlacements(state, now)];
    },
    nextDecisionAt(now) {
      refresh(state, now);
      return state.timers.items[0]?.wakeAt;
    },
  };
}

function landings(state: BoardState): LandingDecision[] {
  const decisions: LandingDecision[] = [];
  const projects = [...state.rows.keys()].sort().map((id) => projectOf(state, id));
  const slots = slotsOfEach(projects, state.rooms.nodes);
  for (const project of projects) {
    if (project.landingStale || project.landingSlots !== slots) {
      project.landingStale = false;
      project.landingSlots = slots;
      const { row, policy, landable } = project;
      project.landing = row === undefined || policy === undefined ? [] : planLandings(row, policy, landable.values(), slots);
    }
    decisions.push(...project.landing);
  }
  return decisions;
}

/** Gate runs that each project with something to land may have at once. */
function slotsOfEach(projects: readonly ProjectBoard[], nodes: readonly NodeSnapshot[]): number {
  const slots = nodes.reduce((sum, { status, gateSlots }) => sum + (status.kind === "up" ? gateSlots : 0), 0);
  const landing = projects.filter(({ landable }) => landable.size > 0).length;
  return Math.max(1, Math.floor(slots / Math.max(1, landing)));
}

/** Brings scores, readiness and classes to the moment. */
export function refresh(state: BoardState, now: number): void {
  state.scores.settle(({ id, score }, reclassed) => {
    const entry = state.entries.get(id);
    if (entry === undefined) return;
    entry.score = score;
    rerank(entry);
    if (reclassed) state.fresh.add(entry);
  });
  if (now < state.now) for (const entry of state.entries.values()) state.fresh.add(entry);
  state.now = now;
  for (let next = state.timers.items[0]; next !== undefined && next.wakeAt <= now; next = state.timers.items[0]) {
    heapRemove(state.timers, next);
    state.fresh.add(next);
  }
  for (const entry of state.fresh) look(state, entry, now);
  state.fresh.clear();
}

/** Decides where an entry waits now, and when time alone will change that. */
function look(state: BoardState, entry: Entry, now: number): void {
  const { task } = entry;
  const project = projectOf(state, task.project);
  const until = task.state.kind === "backoff" ? task.state.until : 0;
  if (!wantsToStart(task) || until > now || entry.needs.some((need) => !isOver(state.tasks.get(need.task)?.state, need.after))) {
    const bucket = entry.group?.bucket;
    leaveGroup(entry);
    if (bucket !== undefined) dropBucket(project, bucket);
    project.contracts.delete(entry);
    wakeAt(state, entry, wantsToStart(task) && until > now ? until : undefined);
    return;
  }
  entry.readySince = readySince(state, task, entry.needs);
  const priority = priorityToStart(task, entry.scored.priority);
  wakeAt(state, entry, nextChangeAt(priority, entry.readySince, now));
  const urgency = classOf(priority, entry.readySince, now);
  entry.urgency = urgency;
  if (entry.locks.contract === null) settleIn(project, entry, bucketOf(project, entry, urgency));
  else project.contracts.add(entry);
}

/** Whoever waits at a spot goes on waiting there, in another bucket. */
function settleIn(project: ProjectBoard, entry: Entry, bucket: Bucket): void {
  if (entry.group?.bucket === bucket) return;
  const wait = entry.group?.wait;
  const before = entry.group?.bucket;
  leaveGroup(entry);
  joinGroup(entry, bucket, wait);
  if (before !== undefined) dropBucket(project, before);
}

function wakeAt(state: BoardState, entry: Entry, at: number | undefined): void {
  const waits = entry.timerPlace >= 0;
  if (at === undefined) {
    if (waits) heapRemove(state.timers, entry);
    return;
  }
  entry.wakeAt = at;
  if (waits) heapFix(state.timers, entry);
  else heapPush(state.timers, entry);
}
