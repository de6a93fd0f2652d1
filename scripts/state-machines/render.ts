import { type Attempt, transitionAttempt } from "../../packages/core/src/attempt.ts";
import { type Project, transitionProject } from "../../packages/core/src/project.ts";
import { moved, type Step } from "../../packages/core/src/step.ts";
import { boardCar, leaveCar, type Task, transitionTask } from "../../packages/core/src/task.ts";
import { type CarEvent, type CarState, type Train, transitionTrain } from "../../packages/core/src/train.ts";
import {
  anAttempt,
  aProject,
  aTask,
  attemptStates,
  attemptVariants,
  collectStates,
  main,
  projectVariants,
  taskStates,
  taskVariants,
} from "./samples.ts";
import { aheadVariants, carStates, carVariants, noCar, situations } from "./train-samples.ts";

const now = 10_000;

/** What one event does to one state: where it leads and what it asks to be done. */
interface Answer {
  outcome: Step<unknown>["outcome"];
  becomes: string;
  effects: string;
}

interface Row {
  type: string;
  label: string;
  answer: Answer;
}

/** The whole of docs/state-machines.md. */
export function renderStateMachines(): string {
  return [
    "# State machines",
    "",
    "Written by `npm run generate` from `packages/core`: every state met every event. Do not edit; `npm run verify` compares.",
    "",
    "*Stale* events are late or repeated and change nothing. *Illegal* ones are a defect of the sender and are refused loudly.",
    "An effect is performed after the event is durable.",
    "",
    ...renderTasks(),
    ...renderAttempts(),
    ...renderProjects(),
    ...renderTrain(),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

/** Each state is asked twice, with a try left and with none; where the answers differ both are told. */
function renderTasks(): string[] {
  const left = taskStates({ tries: 2, limit: 3, feedback: [] });
  const spent = taskStates({ tries: 2, limit: 2, feedback: [] });
  const lines = ["## Task", "", `States: ${[...new Set(left.map((state) => state.kind))].join(", ")}.`, ""];
  for (const [i, state] of left.entries()) {
    const other = spent[i] ?? state;
    const rows = taskVariants(3).flatMap(({ label, event, attempt }) => {
      const one = answerOf(transitionTask(aTask(state), event, now, attempt), taskName, taskName(aTask(state)));
      const two = answerOf(transitionTask(aTask(other), event, now, attempt), taskName, taskName(aTask(other)));
      if (isSame(one, two)) return [{ type: event.type, label, answer: one }];
      return [
        { type: event.type, label: `${label} (a try left)`, answer: one },
        { type: event.type, label: `${label} (none left)`, answer: two },
      ];
    });
    lines.push(...renderState(taskName(aTask(state)), [...rows, ...renderBoarding(aTask(state))]));
  }
  return lines;
}

/** What the project's train does to a task. */
function renderBoarding(task: Task): Row[] {
  const name = taskName(task);
  const planned = { type: "car-planned", label: "car-planned with it", answer: answerOf(boardCar(task, "2"), taskName, name) };
  if (task.state.kind !== "landing") return [planned];
  return [planned, { type: "car gone", label: "its car leaves the train without landing", answer: answerOf(moved(leaveCar(task)), taskName, name) }];
}

function taskName({ state }: Task): string {
  if (state.kind === "parked") return `parked (${state.because.code})`;
  return state.kind;
}

function renderAttempts(): string[] {
  const lines = ["## Attempt", "", `States: ${Object.keys(attemptStates).join(", ")}.`, ""];
  for (const state of Object.values(attemptStates)) {
    const rows = attemptVariants.map(({ label, event }) => ({
      type: event.type,
      label,
      answer: answerOf(transitionAttempt(anAttempt(state), event, now), attemptName, attemptName(anAttempt(state))),
    }));
    lines.push(...renderState(state.kind, rows));
  }
  return lines;
}

function attemptName({ state }: Attempt): string {
  return "outcome" in state ? `${state.kind} (${state.outcome.kind})` : state.kind;
}

/** Placing, landing and collecting are independent: each collect state is asked while the others are open, then they are asked closed. */
function renderProjects(): string[] {
  const lines = [
    "## Project",
    "",
    `A project is placing or paused, its landing open or frozen, and its collect is: ${Object.keys(collectStates).join(", ")}.`,
    "",
  ];
  for (const collect of Object.values(collectStates)) {
    lines.push(...renderProject(`collect ${collect.kind}`, aProject({ kind: "running" }, collect), projectVariants));
  }
  const closed: Project = { ...aProject({ kind: "paused", by: "lead" }, collectStates.idle), landing: { kind: "frozen", because: "main is red" } };
  const opening = projectVariants.filter(({ event }) => ["project-started", "project-paused", "landing-frozen"].includes(event.type));
  lines.push(...renderProject("paused and frozen", closed, opening));
  return lines;
}

function renderProject(name: string, project: Project, variants: typeof projectVariants): string[] {
  const rows = variants.map(({ label, event }) => ({
    type: event.type,
    label,
    answer: answerOf(transitionProject(project, event, now, []), (next) => projectName(next, project), projectName(project, project)),
  }));
  return renderState(name, rows);
}

function projectName(project: Project, before: Project): string {
  const { collect } = project;
  const last = collect.kind === "idle" && collect.last !== null ? ` (${collect.last.outcome})` : "";
  const placing = project.placing.kind === before.placing.kind ? "" : `, placing ${project.placing.kind}`;
  const landing = project.landing.kind === before.landing.kind ? "" : `, landing ${project.landing.kind}`;
  const main = project.main === before.main ? "" : ", main moved";
  return `collect ${collect.kind}${last}${placing}${landing}${main}`;
}

/** A car is asked in every situation; where the answers differ, each is told with the situations that have it. */
function renderTrain(): string[] {
  const lines = ["## Car of a project's landing train", "", `States: ${Object.keys(carStates).join(", ")}.`, ""];
  lines.push(
    ...renderState(
      "not in the train",
      carVariants.map((variant) => rowOfCar(variant, variant.label, noCar)),
    ),
  );
  for (const state of Object.values(carStates).flat()) {
    const rows = carVariants.flatMap((variant) => rowsBySituation(variant, state));
    const ahead = aheadVariants.flatMap((variant) => {
      const train = variant.train(state);
      return isPossible(train) ? [{ ...rowOfCar(variant, variant.label, train), type: variant.label }] : [];
    });
    lines.push(...renderState(carStateName(state), [...rows, ...ahead]));
  }
  return lines;
}

function rowsBySituation(variant: (typeof carVariants)[number], state: CarState): Row[] {
  const groups: { row: Row; where: string[] }[] = [];
  for (const { label, train: of } of situations) {
    const train = of(state);
    if (!isPossible(train)) continue;
    const row = rowOfCar(variant, variant.label, train);
    const alike = groups.find((group) => isSame(group.row.answer, row.answer));
    if (alike === undefined) groups.push({ row, where: [label] });
    else alike.where.push(label);
  }
  return groups.map(({ row, where }) => (groups.length === 1 ? row : { ...row, label: `${row.label} (${where.join("; ")})` }));
}

/** At most one car advances main. */
function isPossible({ cars }: Train): boolean {
  return cars.filter(({ state }) => state.kind === "advancing").length <= 1;
}

function rowOfCar({ event }: { event: CarEvent }, label: string, train: Train): Row {
  return { type: event.type, label, answer: answerOf(transitionTrain(train, event, main), carName, carName(train)) };
}

function carName({ cars }: Train): string {
  const car = cars.find(({ id }) => id === "2");
  return car === undefined ? "not in the train" : carStateName(car.state);
}

function carStateName(state: CarState): string {
  return state.kind === "building" && state.passed !== null ? "building, green before" : state.kind;
}

function answerOf<State>(step: Step<State>, nameOf: (state: State) => string, before: string): Answer {
  if (step.outcome !== "moved") return { outcome: step.outcome, becomes: "", effects: "" };
  const after = nameOf(step.state);
  return {
    outcome: "moved",
    becomes: after === before ? "stays" : after,
    effects: step.effects.map((effect) => `\`${effect.do}\``).join(", "),
  };
}

function isSame(one: Answer, two: Answer): boolean {
  return one.outcome === two.outcome && one.becomes === two.becomes && one.effects === two.effects;
}

/** Variants of one event that are all answered alike become one row. */
function withoutNeedlessVariants(rows: readonly Row[]): readonly Row[] {
  const types = [...new Set(rows.map((row) => row.type))];
  return types.flatMap((type) => {
    const alike = rows.filter((row) => row.type === type);
    const [first, ...others] = alike;
    if (first === undefined || others.some((row) => !isSame(row.answer, first.answer))) return alike;
    return [{ type, label: type, answer: first.answer }];
  });
}

function renderState(name: string, all: readonly Row[]): string[] {
  const rows = withoutNeedlessVariants(all);
  const moved = rows.filter(({ answer }) => answer.outcome === "moved");
  const lines = [`### ${name}`, ""];
  if (moved.length > 0) {
    lines.push("| event | becomes | effects |", "|---|---|---|");
    for (const { label, answer } of moved) lines.push(`| ${label} | ${answer.becomes} | ${answer.effects} |`);
    lines.push("");
  }
  for (const outcome of ["stale", "illegal"] as const) {
    const labels = rows.filter(({ answer }) => answer.outcome === outcome).map(({ label }) => label);
    if (labels.length > 0) lines.push(`${outcome === "stale" ? "Stale" : "Illegal"}: ${labels.join("; ")}.`, "");
  }
  return lines;
}
