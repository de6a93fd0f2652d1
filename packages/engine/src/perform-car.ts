import {
  type Attempt,
  type Car,
  type CarId,
  type CarInput,
  type CarMember,
  type ConflictReport,
  convicts,
  type Effect,
  type FactoryEvent,
  type Finding,
  hasBlocking,
  heldMembers,
  invariant,
  mostBrokenRuns,
  type Oid,
  type Project,
  type ProjectId,
  type Task,
  type TaskId,
  type VerifyCommand,
  type World,
} from "@dispatch/core";
import { freezeLanding } from "./freeze-landing.ts";
import { gateHash } from "./gate-hash.ts";
import { judgeCommit, type Verdict } from "./judge-commit.ts";
import { conflictFindings, landedMeanwhile } from "./landing-words.ts";
import { makeGenerated } from "./make-generated.ts";
import { checkContract, contractFacts } from "./perform-contract.ts";
import type { LandingPorts } from "./ports.ts";

/** Builds what main would be with a car's branches on it; those that do not fit on main go back with a 409 report. */
export async function buildCar(ports: LandingPorts, world: World, effect: Extract<Effect, { do: "build-car" }>): Promise<FactoryEvent[]> {
  const found = carOf(world, effect);
  if (!isAskedFor(found, effect)) return [];
  const { project, car } = found;
  const { fitting, refusals, notes } = await checkContracts(ports, world, project, car);
  const members = heldMembers(project.train, car).filter((task) => fitting.has(task) || !car.members.includes(task));
  if (fitting.size === 0) {
    return [{ type: "car-dropped", project: project.id, car: car.id, because: "the shared contract changed under all of its branches" }, ...refusals];
  }
  const gate = await gateOf(ports, world, project, members);
  const run = runOf(project.id, car.id, effect.onto);
  const { shared = [], generated = [] } = ports.settings.scheduling().get(project.id) ?? {};
  const input: CarInput = {
    car: car.id,
    onto: effect.onto,
    members: members.map((task) => memberOf(world, task)),
    shared,
    generated: generated.flatMap(({ paths }) => paths),
    gateRun: run,
    gateHash: gate.hash,
  };
  const built = await ports.repositories.buildCar(project.id, input);
  if (!isAskedFor(carOf(world, effect), effect)) return [];
  const own = built.held.filter((task) => car.members.includes(task));
  const events: FactoryEvent[] = [...refusals, ...built.refused.filter(({ task }) => car.members.includes(task)).map(refusedAtMain)];
  // What it was to be built on does not fit itself any more: nothing was learnt of its own members.
  const unfit = members.filter((task) => !car.members.includes(task) && !built.held.includes(task));
  if (built.candidate === null || own.length === 0 || unfit.length > 0) {
    const because = unfit.length > 0 ? `${unfit.join(", ")} ahead of it does not fit on main` : "none of its branches fits now";
    return [{ type: "car-dropped", project: project.id, car: car.id, because }, ...events];
  }
  const fact = {
    type: "car-built",
    project: project.id,
    car: car.id,
    members: own,
    onto: effect.onto,
    ...(notes.length === 0 ? {} : { notes }),
  } as const;
  if (built.outdated.length === 0) return [...events, { ...fact, candidate: built.candidate }];
  const made = await makeGenerated(ports, project.id, input, built, generated);
  const now = carOf(world, effect);
  if (!isAskedFor(now, effect)) return [];
  if (made.outcome === "made") return [...events, { ...fact, candidate: made.candidate }];
  // What its tests would say is known without them.
  return [...events, { ...fact, candidate: built.candidate }, ...failed(now.project, { ...now.car, members: own }, made.findings)];
}

/** False where main moved meanwhile: the car is built again on that, and nothing of this build counts. */
function isAskedFor(found: FoundCar | undefined, { onto }: Extract<Effect, { do: "build-car" }>): found is FoundCar {
  return found?.car.state.kind === "building" && found.car.onto === onto;
}

/** Runs the tests on exactly the tree that would become main. A tree that was green already is not run again. */
export async function runCar(ports: LandingPorts, world: World, effect: Extract<Effect, { do: "run-car" }>): Promise<FactoryEvent[]> {
  const found = carOf(world, effect);
  if (found?.car.state.kind !== "running" || found.car.state.candidate.commit !== effect.commit) return [];
  const { project, car } = found;
  const { candidate, builtOn } = found.car.state;
  const gate = await gateOf(ports, world, project, heldMembers(project.train, car));
  const passed = {
    type: "car-passed",
    project: project.id,
    car: car.id,
    candidate,
    gateHash: gate.hash,
    run: runOf(project.id, car.id, builtOn),
  } as const;
  if (isGreen(project, candidate.tree, gate.hash)) return [{ ...passed, verify: [] }];
  const verdict = await judgeCommit(ports, { project: project.id, commit: candidate.commit, verify: gate.verify, run: passed.run });
  const now = carOf(world, effect);
  if (now?.car.state.kind !== "running" || now.car.state.candidate.commit !== effect.commit) return [];
  switch (verdict.kind) {
    case "green":
      return [{ ...passed, verify: verdict.results }];
    case "broken":
      return brokenRun(now.project, now.car, now.car.state.broken, verdict.because);
    case "red":
      return await redRun(ports, world, { ...now, verdict, common: gate.common });
  }
}

/** Ends a run whose outcome nobody waits for any more. */
export async function cancelRun(ports: LandingPorts, effect: Extract<Effect, { do: "cancel-run" }>): Promise<FactoryEvent[]> {
  const run = runOf(effect.project, effect.car, effect.builtOn);
  const node = ports.gateSlots.nodeOf(run);
  if (node !== undefined) await ports.nodes.cancelVerify(node, run);
  return [];
}

/** Moves main by compare-and-swap; merged is said only after the commit was seen on main. */
export async function advanceMain(ports: LandingPorts, world: World, effect: Extract<Effect, { do: "advance-main" }>): Promise<FactoryEvent[]> {
  const found = carOf(world, effect);
  if (found?.car.state.kind !== "advancing" || found.car.state.candidate.commit !== effect.commit) return [];
  const { project, car } = found;
  const { candidate } = found.car.state;
  invariant(
    project.train.green.some(({ tree }) => tree === candidate.tree),
    `car ${car.id} of ${project.id} is to land without a green run of its tree`,
  );
  const advanced = await ports.repositories.advanceMain(project.id, candidate.commit, car.onto);
  const main = advanced.outcome === "advanced" ? candidate.commit : advanced.main;
  const contract = await contractFacts(ports, project.id, car.onto, main);
  if (advanced.outcome !== "advanced") {
    const because = `main moved to ${main.slice(0, 12)} meanwhile`;
    return [{ type: "car-dropped", project: project.id, car: car.id, because, main }, ...contract];
  }
  const merged = heldMembers(project.train, car).map((task): FactoryEvent => ({ type: "task-merged", task, commit: main, from: car.onto }));
  return [{ type: "car-landed", project: project.id, car: car.id, commit: main, from: car.onto }, ...merged, ...contract];
}

interface FoundCar {
  project: Project;
  car: Car;
}

function carOf(world: World, { project: id, car: name }: { project: ProjectId; car: CarId }): FoundCar | undefined {
  const project = world.projects.get(id);
  const car = project?.train.cars.find((candidate) => candidate.id === name);
  return project === undefined || car === undefined ? undefined : { project, car };
}

/** The same car on the same main has the same run, so that the commit can name it before it has run. */
function runOf(project: ProjectId, car: CarId, builtOn: Oid): string {
  return `${project}-${car}@${builtOn.slice(0, 12)}`;
}

interface Gate {
  /** What every change of the project has to pass. */
  common: readonly VerifyCommand[];
  /** The same, and what the specs of the car ask for beside it. */
  verify: readonly VerifyCommand[];
  hash: string;
}

/** The verify commands of main, and those of each spec. */
async function gateOf(ports: LandingPorts, world: World, project: Project, members: readonly TaskId[]): Promise<Gate> {
  const { verify: common } = await ports.settings.policyAt(project.id, project.main);
  const verify = [...common];
  for (const member of members) {
    for (const own of world.tasks.get(member)?.spec.verify ?? []) {
      if (!verify.some((known) => known.run === own.run && known.cwd === own.cwd)) verify.push(own);
    }
  }
  return { common, verify, hash: gateHash(verify) };
}

function isGreen({ train }: Project, tree: Oid, hash: string): boolean {
  return train.green.some((known) => known.tree === tree && known.gateHash === hash);
}

function brokenRun(project: Project, car: Car, broken: number, because: string): FactoryEvent[] {
  const of = { project: project.id, car: car.id };
  if (broken + 1 < mostBrokenRuns) return [{ type: "run-broken", ...of, because }];
  const finding: Finding = {
    gate: "G01",
    severity: "block",
    found: `${because}, ${mostBrokenRuns} times in a row`,
    why: "a run that is ended each time is no accident of one machine",
    hint: "look for what ends it: memory, a limit, or the tests themselves",
  };
  return failed(project, car, [finding]);
}

interface RedRun extends FoundCar {
  verdict: Extract<Verdict, { kind: "red" }>;
  common: readonly VerifyCommand[];
}

/** Nobody is blamed for what is red on main itself, and nobody alone for what a car of several did. */
async function redRun(ports: LandingPorts, world: World, { project, car, verdict, common }: RedRun): Promise<FactoryEvent[]> {
  const main = car.onto;
  if (verdict.results.slice(0, common.length).some((result) => result.outcome !== "exited" || result.exitCode !== 0)) {
    const onMain = await judgeCommit(ports, { project: project.id, commit: main, verify: common, run: `${project.id}@${main.slice(0, 12)}` });
    if (onMain.kind === "red") return freezeAt(project, car, onMain.findings);
    if (onMain.kind === "broken") return [{ type: "run-broken", project: project.id, car: car.id, because: onMain.because }];
  }
  const now = carOf(world, { project: project.id, car: car.id });
  return now === undefined ? [] : failed(now.project, now.car, [...verdict.findings, ...landedMeanwhile(world, now.car)]);
}

function failed(project: Project, car: Car, findings: readonly Finding[]): FactoryEvent[] {
  const events: FactoryEvent[] = [{ type: "car-failed", project: project.id, car: car.id, findings }];
  const [only] = car.members;
  if (only !== undefined && convicts(project.train, car)) events.push({ type: "candidate-refused", task: only, findings, conflict: null });
  return events;
}

/** Main itself is red: nobody's branch is to blame, and nothing lands until the lead has looked. */
function freezeAt(project: Project, car: Car, findings: readonly Finding[]): FactoryEvent[] {
  const because = `the tests are red on main ${car.onto.slice(0, 12)} itself: ${findings[0]?.found ?? "no test ran"}`;
  return [{ type: "car-dropped", project: project.id, car: car.id, because }, ...freezeLanding(project, car.onto, because)];
}

interface ContractChecks {
  fitting: ReadonlySet<TaskId>;
  refusals: FactoryEvent[];
  notes: Finding[];
}

/** Who built on another contract than main's now is told before anything is run. */
async function checkContracts(ports: LandingPorts, world: World, project: Project, car: Car): Promise<ContractChecks> {
  const fitting = new Set<TaskId>();
  const checks: ContractChecks = { fitting, refusals: [], notes: [] };
  for (const id of car.members) {
    const { task, attempt, tip } = branchOf(world, id);
    const findings = await checkContract(ports, task, { base: attempt.base, onto: project.main, tip });
    if (hasBlocking(findings)) checks.refusals.push({ type: "candidate-refused", task: id, findings, conflict: null });
    else {
      fitting.add(id);
      checks.notes.push(...findings);
    }
  }
  return checks;
}

function refusedAtMain({ task, report }: { task: TaskId; report: ConflictReport }): FactoryEvent {
  return { type: "candidate-refused", task, findings: conflictFindings(report), conflict: report };
}

function memberOf(world: World, id: TaskId): CarMember {
  const { task, attempt, tip } = branchOf(world, id);
  return {
    task: id,
    specId: task.spec.id,
    attempt: attempt.id,
    tip,
    base: attempt.base,
    subject: task.spec.commit,
    executor: attempt.executor,
    at: attempt.endedAt,
  };
}

function branchOf(world: World, id: TaskId): { task: Task; attempt: Attempt; tip: Oid } {
  const task = world.tasks.get(id);
  invariant(task?.state.kind === "landing", `${id} is in a car and not landing`);
  const attempt = world.attempts.get(task.state.attempt);
  invariant(attempt !== undefined, `attempt ${task.state.attempt} is unknown`);
  return { task, attempt, tip: task.state.tip };
}
