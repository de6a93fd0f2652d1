export { type Decision, decide, nextDecisionAt } from "./decide.ts";
export { createExplainer, type Explanation, explainTask } from "./explain-task.ts";
export { freeSlots, type Placement, usedSlots } from "./place-tasks.ts";
export { remainingPaths } from "./rank-tasks.ts";
export type { LandingPolicy, SchedulingPolicy, Snapshot } from "./snapshot.ts";
