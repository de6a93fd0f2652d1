import type { AttemptOutcome, Finding, Priority, ProjectId, TaskSpec } from "@dispatch/core";
import { aSpec } from "../kit/build-facts.ts";
import { success } from "./utilisation-facts.ts";
import { minutes, someOf, somePaths, spread } from "./utilisation-plan.ts";

/** The fleet of the strategy: 32 agents, here on four equal nodes. */
export const slots = 32;
export const nodeCount = 4;
export const dayMs = minutes(24 * 60);
/** A product with double share, a smaller one, and one beside them; and what part of the directions each gets. */
export const projects = [
  { id: "shop", share: 2, directions: 0.5 },
  { id: "mail", share: 1, directions: 0.3 },
  { id: "site", share: 1, directions: 0.2 },
] as const;
/** A direction is 20 to 40 specs in four layers. One every 24 minutes asks for nine tenths of 32 slots: both too much and too little work occur. */
const directionTasks = { least: 20, most: 40, layers: 4 };
const minutesBetweenDirections = 24;
/** Directions that lie there in the morning. */
export const firstDirections = 6;
/** A repository of middle size, locked as the performance design has it. */
const repository = { modules: 40, files: 20 };
/** Sessions of a quarter of an hour, one in ten of more than half an hour; two of three estimates are right within a factor of 1.6. */
const sessionMinutes = 15;
const sessionSigma = 0.6;
const estimateSigma = 0.5;
/** Another session on the same task takes as long as the first within a fifth or so. */
const againSigma = 0.2;
/** From placing to the agent's first step: a worktree, a shell, the program's start. The slot is taken and not yet used. */
export const startMs = 5_000;
/** Until an ended session's work was fetched, and from then until the gates have answered. The slot is free, the paths stay locked. */
export const collectMs = 10_000;
export const checkMs = 5_000;
/** Landing one task, one at a time in each project: merge, then the project's tests on the result. */
export const buildMs = 5_000;
export const verifyMs = 45_000;
/** Shares of attempts, or of results at their gate, that fail. Rather high: a day without failures would prove little. */
export const failing = { refusedAtStart: 0.02, lost: 0.03, exhausted: 0.05, refusedByGates: 0.06, refusedAtLanding: 0.05 };
/** A person looks at a parked task after about so long, and lets it try again. */
const leadMinutes = 30;
const leadSigma = 0.5;
/** One node falls out at noon for half an hour; its sessions are lost. */
export const outage = { node: 1, from: minutes(12 * 60), to: minutes(12 * 60 + 30) };

export const placeholderFinding: Finding = { gate: "G02", severity: "block", found: "a placeholder", why: "unfinished work", hint: "finish it" };

export interface DirectionTask {
  spec: TaskSpec;
  durationMs: number;
}

/** The specs of the n-th direction, each after those it needs. */
export function someDirection(random: () => number, n: number): DirectionTask[] {
  const project = someProject(random());
  const direction = `D${String(n).padStart(3, "0")}`;
  const priority = somePriority(random());
  const count = directionTasks.least + Math.floor(random() * (directionTasks.most - directionTasks.least + 1));
  const layers = Array.from({ length: directionTasks.layers }, (): string[] => []);
  return Array.from({ length: count }, (_, i): DirectionTask => {
    const layer = Math.floor((i * directionTasks.layers) / count);
    const id = `${direction}S${String(i).padStart(2, "0")}`;
    const lengthMinutes = sessionMinutes * spread(random, sessionSigma);
    const estimateMinutes = lengthMinutes * spread(random, estimateSigma);
    const dependsOn = someOf(random, layers[layer - 1] ?? []);
    layers[layer]?.push(id);
    const spec = aSpec(id, { project, direction, priority, dependsOn, estimateMinutes, modifies: somePaths(random, repository) });
    return { spec, durationMs: minutes(lengthMinutes) };
  });
}

function someProject(drawn: number): ProjectId {
  let sum = 0;
  for (const { id, directions } of projects) {
    sum += directions;
    if (drawn < sum) return id;
  }
  return projects[0].id;
}

/** Of ten directions one is urgent and one may wait. */
function somePriority(drawn: number): Priority {
  return drawn < 0.1 ? 1 : drawn < 0.9 ? 2 : 3;
}

/** How a session of a task ends, and after how many ms. */
export function someSession(random: () => number, durationMs: number): { outcome: AttemptOutcome; afterMs: number } {
  const length = Math.round(durationMs * spread(random, againSigma));
  const drawn = random();
  if (drawn < failing.lost) return { outcome: { kind: "lost", because: "the session is gone" }, afterMs: Math.ceil(length * random()) };
  if (drawn < failing.lost + failing.exhausted) return { outcome: { kind: "exhausted", rounds: 3, findings: [placeholderFinding] }, afterMs: length };
  return { outcome: success, afterMs: length };
}

/** Until the lead has answered about a parked task. */
export function someAnswerMs(random: () => number): number {
  return minutes(leadMinutes * spread(random, leadSigma));
}

/** Until the next direction comes. */
export function someGapMs(random: () => number): number {
  return Math.round(-Math.log(1 - random()) * minutes(minutesBetweenDirections));
}
