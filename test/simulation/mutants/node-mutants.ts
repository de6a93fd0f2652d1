import type { Mutant } from "./mutant.ts";

const attempt = "packages/core/src/attempt.ts";
const closeNodes = "packages/engine/src/close-nodes.ts";
const judgeReach = "packages/engine/src/judge-reach.ts";
const performAttempt = "packages/engine/src/perform-attempt.ts";
const watchReach = "packages/engine/src/watch-reach.ts";

/** Lost nodes, fences, what is closed and what is given up, broken one at a time. */
export const nodeMutants: readonly Mutant[] = [
  {
    name: "a deadline is not waited for",
    seed: 14,
    changes: [{ file: watchReach, from: "if (nextAt !== undefined) {", to: "if (nextAt === 0) {" }],
  },
  {
    name: "a node is lost although no other one was up for as long",
    seed: 6,
    changes: [{ file: judgeReach, from: "Math.max(down.since, witness) + lostAfterMs", to: "down.since + lostAfterMs" }],
  },
  {
    name: "nobody notices that a lost node is back",
    seed: 1,
    changes: [
      { file: judgeReach, from: 'events.push({ type: "node-returned", node: id });', to: 'events.push({ type: "node-returned", node: "nobody" });' },
    ],
  },
  {
    name: "a node is lost and what is at work on it is not fenced",
    seed: 1,
    changes: [
      {
        file: judgeReach,
        from: 'type: "node-lost", node, because }, ...fencesOf(attempts,',
        to: 'type: "node-lost", node, because }, ...fencesOf([],',
      },
    ],
  },
  {
    name: "an attempt that ended on a lost node is waited for",
    seed: 40,
    changes: [{ file: attempt, from: 'return isLive(attempt) || attempt.state.kind === "ended";', to: "return isLive(attempt);" }],
  },
  {
    name: "the slot of a fenced attempt is free before it is retired",
    seed: 30,
    changes: [
      {
        file: attempt,
        from: 'return isLive(attempt) || (attempt.state.kind === "fenced" && attempt.state.session === "unknown");',
        to: "return isLive(attempt);",
      },
    ],
  },
  {
    name: "a closed node takes tasks",
    seed: 1,
    changes: [{ file: closeNodes, from: "record === undefined || closure === null", to: "record === undefined || closure !== undefined" }],
  },
  {
    name: "a fenced attempt is retired and its session goes on",
    seed: 1,
    changes: [
      {
        file: performAttempt,
        from: "await ports.nodes.stopAttempt(attempt.node, id, attempt.state.because);",
        to: 'if (id !== "") return [{ type: "attempt-retired", attempt: id, tip: null, salvage: null }];',
      },
    ],
  },
  {
    name: "a node that is not configured is taken for one that has forgotten",
    seed: 64,
    changes: [{ file: performAttempt, from: "if (ports.nodes.nodes().some((node) => node.id === id)) return;", to: "if (id !== undefined) return;" }],
  },
  {
    name: "what a fenced attempt left is removed without being fetched",
    seed: 1,
    changes: [
      {
        file: performAttempt,
        from: "await discard(ports, task, attempt, await salvage(ports, task, attempt))",
        to: "await discard(ports, task, attempt, await ports.nodes.salvageAttempt(attempt.node, id))",
      },
    ],
  },
];
