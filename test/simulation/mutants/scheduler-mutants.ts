import type { Mutant } from "./mutant.ts";

const train = "packages/core/src/train.ts";
const landings = "packages/scheduler/src/plan-landings.ts";
const fitNode = "packages/scheduler/src/fit-node.ts";
const nodeRooms = "packages/scheduler/src/board/node-rooms.ts";
const board = "packages/scheduler/src/board/board.ts";
const lockSet = "packages/scheduler/src/locks/lock-set.ts";
const readiness = "packages/scheduler/src/readiness.ts";
const pick = "packages/scheduler/src/board/pick-placements.ts";
const follow = "packages/scheduler/src/board/follow-facts.ts";
const engine = "packages/engine/src/engine.ts";

/** Order, places, locks and time, broken one at a time. */
export const schedulerMutants: readonly Mutant[] = [
  {
    name: "two cars of a project move main at once",
    seed: 1,
    changes: [{ file: train, from: 'return train.cars.some(({ state }) => state.kind === "advancing");', to: "return train.cars.length < 0;" }],
  },
  {
    name: "a freeze of landing is ignored",
    seed: 2,
    changes: [{ file: landings, from: 'if (project.landing.kind === "frozen") return false;', to: "" }],
  },
  {
    name: "tasks land while origin is read or written",
    seed: 2,
    changes: [{ file: landings, from: 'if (collect.kind === "taking-in" || collect.kind === "publishing") return false;', to: "" }],
  },
  {
    name: "a low-priority node takes one more than it has slots",
    seed: 71,
    changes: [
      {
        file: fitNode,
        from: "return used.slots < node.slots && isOpen",
        to: "return used.slots < node.slots + Number(node.lowPriority) && isOpen",
      },
      { file: fitNode, from: "if (used.slots >= node.slots) return", to: "if (used.slots >= node.slots + Number(node.lowPriority)) return" },
    ],
  },
  {
    name: "memory that is taken is not counted",
    seed: 5,
    changes: [{ file: nodeRooms, from: "  used.memoryMb += sign * memoryMb;\n", to: "" }],
  },
  {
    name: "labels are not asked for",
    seed: 1,
    changes: [{ file: fitNode, from: "if (demand.labels.length > 0 && !demand", to: "if (demand.labels.length > 9 && !demand" }],
  },
  {
    name: "the end of a pause wakes nobody",
    seed: 15,
    changes: [{ file: board, from: "return state.timers.items[0]?.wakeAt;", to: "return undefined;" }],
  },
  {
    name: "a pause before the next attempt is not kept",
    seed: 3,
    changes: [{ file: board, from: 'const until = task.state.kind === "backoff" ? task.state.until : 0;', to: "const until = 0;" }],
  },
  {
    name: "what a task reads may be written meanwhile",
    seed: 1,
    changes: [{ file: lockSet, from: "  for (const path of spec.reads) add(entries, path, false);\n", to: "" }],
  },
  {
    name: "who changes the contract does not run alone",
    seed: 2,
    changes: [
      {
        file: lockSet,
        from: "contract: contractOf(spec, policy?.contracts ?? []) };",
        to: "contract: entries.size > 99 ? contractOf(spec, policy?.contracts ?? []) : null };",
      },
    ],
  },
  {
    name: "a parked task counts as one that is done",
    seed: 16,
    changes: [
      {
        file: readiness,
        from: 'return state.kind === "merged" || (after &&',
        to: 'return state.kind === "merged" || state.kind === "parked" || (after &&',
      },
    ],
  },
  {
    name: "tasks of a paused project are placed",
    seed: 4,
    changes: [{ file: pick, from: 'row?.placing.kind === "running"', to: "row !== undefined" }],
  },
  {
    name: "the board does not follow the end of a dependency",
    seed: 2,
    changes: [{ file: follow, from: "for (const entry of state.dependants.get(task.id) ?? []) state.fresh.add(entry);", to: "state.fresh.size;" }],
  },
  {
    name: "a fact that was recorded wakes nobody",
    seed: 1,
    changes: [
      {
        file: engine,
        from: "for (const listener of listeners) listener(recorded.stored);\n    loop.wake();",
        to: "for (const listener of listeners) listener(recorded.stored);",
      },
    ],
  },
];
