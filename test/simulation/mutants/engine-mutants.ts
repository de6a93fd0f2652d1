import type { Mutant } from "./mutant.ts";

const observe = "packages/engine/src/observe-nodes.ts";
const attempt = "packages/core/src/attempt.ts";
const task = "packages/core/src/task.ts";
const runEffects = "packages/engine/src/run-effects.ts";
const engine = "packages/engine/src/engine.ts";
const performAttempt = "packages/engine/src/perform-attempt.ts";
const performCar = "packages/engine/src/perform-car.ts";
const train = "packages/core/src/train.ts";
const performOrigin = "packages/engine/src/perform-origin.ts";
const commands = "packages/engine/src/commands.ts";

const seenCheck = "if (event.seq <= attempt.cursor) return stale(";
const gapCheck = "if (event.seq !== attempt.cursor + 1) return illegal(";
const liveCheck = 'if (state.kind !== "starting" && state.kind !== "running" && state.kind !== "stopping") return stale(';
const noCheck = (then: "stale" | "illegal") => `if (event.seq < 0) return ${then}(`;

/** Fence, locks, outbox, landing and salvage, broken one at a time. */
export const engineMutants: readonly Mutant[] = [
  {
    name: "the lock is released when the session ends",
    seed: 1,
    changes: [
      {
        file: task,
        from: '    case "collecting":\n    case "checking":\n    case "queued":\n    case "landing":\n    case "cancelling":\n      return true;\n',
        to: '      return true;\n    case "collecting":\n    case "checking":\n    case "queued":\n    case "landing":\n    case "cancelling":\n',
      },
    ],
  },
  {
    name: "a queued task holds no lock",
    seed: 1,
    changes: [
      {
        file: task,
        from: '    case "queued":\n    case "landing":\n    case "cancelling":\n      return true;\n',
        to: '    case "landing":\n    case "cancelling":\n      return true;\n    case "queued":\n',
      },
    ],
  },
  {
    name: "a report that was seen is taken in again",
    seed: 1,
    changes: [
      { file: observe, from: "!isLive(attempt) || report.seq <= attempt.cursor", to: "!isLive(attempt)" },
      { file: attempt, from: seenCheck, to: noCheck("stale") },
      { file: attempt, from: gapCheck, to: noCheck("illegal") },
    ],
  },
  {
    name: "a gap in the reports is not noticed",
    seed: 1,
    changes: [
      { file: observe, from: "if (report.seq > attempt.cursor + 1) {", to: "if (report.seq > attempt.cursor + 1000) {" },
      { file: attempt, from: gapCheck, to: noCheck("illegal") },
    ],
  },
  {
    name: "reports of an attempt that is over are accepted",
    seed: 1,
    changes: [
      { file: observe, from: "!isLive(attempt) || report.seq <= attempt.cursor", to: "report.seq <= attempt.cursor" },
      { file: attempt, from: liveCheck, to: noCheck("stale") },
    ],
  },
  {
    name: "an effect leaves the outbox before it is done",
    seed: 5,
    changes: [
      { file: runEffects, from: "      events = await perform(effect);", to: "      await finish([], key);\n      events = await perform(effect);" },
    ],
  },
  {
    name: "effects begin before their cause is on disk",
    seed: 1,
    changes: [
      {
        file: engine,
        from: "    try {\n      await recorded.durable;",
        to: "    runner.start(recorded.change.effects);\n    try {\n      await recorded.durable;",
      },
    ],
  },
  {
    name: "an effect that failed is never tried again",
    seed: 1,
    changes: [
      { file: runEffects, from: "      ports.clock.after(delay, () => retry(key, effect)),", to: "      () => {}," },
      { file: runEffects, from: "if (timers.has(key)) retry(key, trouble.effect);", to: "if (!timers.has(key)) retry(key, trouble.effect);" },
    ],
  },
  {
    name: "a retry begins again with attempt 1",
    seed: 1,
    changes: [
      {
        file: task,
        from: 'return moved({ kind: "planned", tries: state.tries, limit: state.tries + task.spec.attempts, feedback: state.feedback });',
        to: 'return moved({ kind: "planned", tries: 0, limit: task.spec.attempts, feedback: state.feedback });',
      },
    ],
  },
  {
    name: "main is moved from wherever it is",
    seed: 116,
    changes: [
      {
        file: performCar,
        from: "ports.repositories.advanceMain(project.id, candidate.commit, car.onto);",
        to: "ports.repositories.advanceMain(project.id, candidate.commit, await ports.repositories.mainOf(project.id));",
      },
    ],
  },
  {
    name: "merged is said although main moved elsewhere",
    seed: 9,
    changes: [
      {
        file: performCar,
        from: 'if (advanced.outcome !== "advanced") {',
        to: "if (advanced.outcome === undefined) {",
      },
    ],
  },
  {
    name: "the tests run on main instead of on what lands",
    seed: 1,
    changes: [
      {
        file: performCar,
        from: "commit: candidate.commit, verify: gate.verify, run: passed.run }",
        to: "commit: builtOn, verify: gate.verify, run: passed.run }",
      },
    ],
  },
  {
    name: "cancelling forgets to stop the session",
    seed: 97,
    changes: [
      {
        file: commands,
        from: 'if (state.kind === "starting" || state.kind === "running") {',
        to: 'if (state.kind === "starting" && state.tries < 0) {',
      },
    ],
  },
  {
    name: "a worktree is deleted before it was fetched",
    seed: 1,
    changes: [
      {
        file: performAttempt,
        from: "  await ports.repositories.fetchAttempt(task.project, attempt.id, url, held);",
        to: '  if (url === "") await ports.repositories.fetchAttempt(task.project, attempt.id, url, held);',
      },
    ],
  },
  {
    name: "what appeared in a worktree after the salvage is deleted with it",
    seed: 3,
    changes: [
      {
        file: performAttempt,
        from: "const now = await salvage(ports, task, attempt);",
        to: "const now = await ports.nodes.salvageAttempt(attempt.node, attempt.id);",
      },
    ],
  },
  {
    name: "nobody looks what a node forgot when it comes back",
    seed: 23,
    changes: [{ file: observe, from: "          compare(id, 0).catch(onFatal);\n", to: "" }],
  },
  {
    name: "of an attempt that is over what is missing is asked for",
    seed: 30,
    changes: [{ file: observe, from: "!isLive(attempt) || report.seq <= attempt.cursor", to: "report.seq <= attempt.cursor" }],
  },
  {
    name: "an attempt whose start is under way is taken for forgotten",
    seed: 5,
    changes: [{ file: observe, from: "(attempt.cursor > 0 || !isStarting(attempt.id))", to: "attempt.cursor >= 0" }],
  },
  {
    name: "where main went to is not taken in",
    seed: 116,
    changes: [{ file: performCar, from: "candidate.commit : advanced.main;", to: "candidate.commit : car.onto;" }],
  },
  {
    name: "what others pushed becomes main although it is red",
    seed: 36,
    changes: [
      {
        file: performOrigin,
        from: 'if (verdict.kind !== "green") {',
        to: 'if (verdict.kind === "broken") {',
      },
    ],
  },
  {
    name: "effects of one attempt run side by side",
    seed: 3,
    changes: [{ file: runEffects, from: "(lanes.get(lane) ?? Promise.resolve())", to: "Promise.resolve()" }],
  },
  {
    name: "after a crash nothing is done that was left undone",
    seed: 5,
    changes: [{ file: engine, from: "      outbox.start(loaded.pending.map(({ effect }) => effect));\n", to: "" }],
  },
  {
    name: "a car that was built on an older main counts",
    seed: 2,
    changes: [
      { file: train, from: "if (onto !== car.onto) return", to: "if (onto === null) return" },
      { file: performCar, from: " && found.car.onto === onto;", to: ";" },
    ],
  },
];
