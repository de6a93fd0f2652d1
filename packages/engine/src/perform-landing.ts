import {
  type AttemptId,
  type CommandResult,
  type Effect,
  FactoryError,
  type FactoryEvent,
  type Finding,
  hasBlocking,
  invariant,
  type NodeId,
  type Oid,
  type Project,
  type ProjectId,
  type ProjectSource,
  type TakeInOutcome,
  type Task,
  type TaskId,
  type World,
} from "@dispatch/core";
import { judgeVerify } from "@dispatch/gates";
import { gateHash } from "./gate-hash.ts";
import { checkContract, contractFacts } from "./perform-contract.ts";
import type { EnginePorts } from "./ports.ts";

type Ports = Pick<EnginePorts, "nodes" | "repositories" | "settings" | "at">;

/** Builds what main would be with one branch on it, or says in a 409 report why that cannot be. */
export async function buildCandidate(ports: Ports, world: World, effect: Extract<Effect, { do: "build-candidate" }>): Promise<FactoryEvent[]> {
  const task = landingTask(world, effect.task);
  const attempt = world.attempts.get(effect.attempt);
  if (task === undefined || attempt === undefined || task.state.phase.kind !== "building" || task.state.onto !== effect.onto) return [];
  const contract = await checkContract(ports, task, { base: attempt.base, onto: effect.onto, tip: effect.tip });
  if (hasBlocking(contract)) return [{ type: "candidate-refused", task: task.id, findings: contract, conflict: null }];
  const policy = await ports.settings.policyAt(task.project, effect.onto);
  const built = await ports.repositories.buildCandidate(task.project, {
    task: task.id,
    specId: task.spec.id,
    attempt: attempt.id,
    tip: effect.tip,
    base: attempt.base,
    onto: effect.onto,
    subject: task.spec.commit,
    executor: attempt.executor,
    gateRun: gateRunOf(attempt.id, effect.onto),
    gateHash: gateHash(task.spec.verify.length > 0 ? [...policy.verify, ...task.spec.verify] : policy.verify),
    at: attempt.endedAt,
  });
  if (built.outcome === "built") {
    const notes = contract.length === 0 ? {} : { notes: contract };
    return [{ type: "candidate-built", task: task.id, candidate: built.candidate, ...notes }];
  }
  const { report } = built;
  const findings: Finding[] = report.paths.map((path) => ({
    gate: "landing",
    severity: "block",
    path: path.path,
    found: `main changed this path since your base ${report.base.slice(0, 12)}: ${path.changedBy.map((by) => `${by.spec ?? "a commit from outside"} (${by.commit.slice(0, 12)} ${by.subject})`).join(", ") || "unknown commit"}`,
    why: `Your version would overwrite it (409 ${report.kind}).`,
    hint: `Build on main ${report.main.slice(0, 12)}. Your earlier work is commit ${effect.tip.slice(0, 12)}.`,
  }));
  if (findings.length === 0)
    findings.push({
      gate: "landing",
      severity: "block",
      found: `409 ${report.kind}`,
      why: "The branch does not belong to main's history.",
      hint: report.hint,
    });
  return [{ type: "candidate-refused", task: task.id, findings, conflict: report }];
}

/** Runs the tests on exactly the tree that would become main. */
export async function verifyCandidate(ports: Ports, world: World, effect: Extract<Effect, { do: "verify-candidate" }>): Promise<FactoryEvent[]> {
  const task = landingTask(world, effect.task);
  if (task === undefined || task.state.phase.kind !== "verifying" || task.state.phase.candidate.commit !== effect.candidate.commit) return [];
  const verdict = await verifyCommit(ports, task.project, effect.candidate.commit, effect.onto, {
    task,
    run: gateRunOf(task.state.attempt, effect.onto),
  });
  if (verdict.green) return [{ type: "candidate-verified", task: task.id, candidate: effect.candidate, verify: verdict.results }];
  const main = await verifyCommit(ports, task.project, effect.onto, effect.onto);
  if (main.green) return [{ type: "candidate-refused", task: task.id, findings: verdict.findings, conflict: null }];
  return freeze(world, task, effect.onto, main.findings);
}

/** Main itself is red: nobody's branch is to blame, and nothing lands until the lead has looked. */
function freeze(world: World, task: Task, onto: Oid, findings: readonly Finding[]): FactoryEvent[] {
  const because = `the tests are red on main ${onto.slice(0, 12)} itself: ${findings[0]?.found ?? "no test ran"}`;
  const events: FactoryEvent[] = [
    { type: "landing-deferred", task: task.id, because, main: onto },
    { type: "landing-frozen", project: task.project, commit: onto, because },
  ];
  if (world.projects.get(task.project)?.collect.kind !== "idle") {
    const hint = "mend main (push a fix to origin, or change the verify command), then dispatch resume and collect again";
    events.push({ type: "collect-stopped", project: task.project, code: "MAIN_RED", because, hint });
  }
  return events;
}

/** Moves main by compare-and-swap; merged is said only after the commit was seen on main. */
export async function advanceMain(ports: Ports, world: World, effect: Extract<Effect, { do: "advance-main" }>): Promise<FactoryEvent[]> {
  const task = landingTask(world, effect.task);
  if (task === undefined || task.state.phase.kind !== "advancing") return [];
  const advanced = await ports.repositories.advanceMain(task.project, effect.candidate.commit, effect.onto);
  const main = advanced.outcome === "advanced" ? effect.candidate.commit : advanced.main;
  const contract = await contractFacts(ports, task.project, effect.onto, main);
  if (advanced.outcome === "advanced") return [{ type: "task-merged", task: task.id, commit: main, from: effect.onto }, ...contract];
  return [{ type: "landing-deferred", task: task.id, because: `main moved to ${main.slice(0, 12)} meanwhile`, main }, ...contract];
}

/** Takes commits that others pushed to origin into main, after the tests passed on both together. */
export async function takeInOrigin(ports: Ports, world: World, id: ProjectId): Promise<FactoryEvent[]> {
  const project = world.projects.get(id);
  const source = ports.settings.sourceOf(id);
  if (project?.collect.kind !== "taking-in") return [];
  if (source === undefined) return [stopped(project, new FactoryError("NOT_FOUND", `project ${id} is not in dispatch.yaml any more`))];
  try {
    const taken = await ports.repositories.takeInOrigin(source);
    switch (taken.outcome) {
      case "unchanged":
        // A daemon that was killed right after main had moved finds its own work done here.
        return [
          { type: "origin-taken-in", project: id, main: taken.main, commits: 0 },
          ...(await contractFacts(ports, id, project.main, taken.main)),
        ];
      case "conflict":
        return [stopped(project, conflictWithOrigin(taken, source))];
      case "ahead":
        return await adopt(ports, project, taken.candidate, taken.commits);
    }
  } catch (error) {
    return [stopped(project, error)];
  }
}

async function adopt(ports: Ports, project: Project, candidate: Oid, commits: number): Promise<FactoryEvent[]> {
  const verdict = await verifyCommit(ports, project.id, candidate, candidate);
  if (!verdict.green) {
    const error = new FactoryError(
      "ORIGIN_CONFLICT",
      `with ${commits} new commits of origin the tests are red: ${verdict.findings[0]?.found ?? "no test ran"}`,
      {
        fault: "user",
        hint: "mend it on origin's branch, then collect again; what has landed here stays in the hub",
      },
    );
    return [stopped(project, error)];
  }
  // Asked before main moves: what fails later would stop the collect with the move unrecorded.
  const contract = await contractFacts(ports, project.id, project.main, candidate);
  const main = await ports.repositories.mainOf(project.id);
  const advanced = await ports.repositories.advanceMain(project.id, candidate, main);
  if (advanced.outcome === "main-moved") throw new FactoryError("MAIN_MOVED", "main moved while origin was taken in", { retry: "later" });
  return [{ type: "origin-taken-in", project: project.id, main: candidate, commits }, ...contract];
}

/** Pushes main to origin, by fast-forward only, or has it pulled from there by request. */
export async function publishMain(ports: Ports, world: World, id: ProjectId): Promise<FactoryEvent[]> {
  const project = world.projects.get(id);
  const source = ports.settings.sourceOf(id);
  if (project?.collect.kind !== "publishing" || source === undefined) return [];
  try {
    const published = await ports.repositories.publishMain(source);
    if (published.outcome === "origin-moved") return [{ type: "origin-moved", project: id }];
    const { commit, url } = published;
    return [{ type: "main-published", project: id, commit, ...(url === undefined ? {} : { url }) }];
  } catch (error) {
    return [stopped(project, error)];
  }
}

/** The same landing on the same main has the same run, so that the commit can name it before it has run. */
function gateRunOf(attempt: AttemptId, onto: Oid): string {
  return `${attempt}@${onto.slice(0, 12)}`;
}

interface Verdict {
  green: boolean;
  results: readonly CommandResult[];
  findings: readonly Finding[];
}

/** The verify commands of a revision (and of a spec), run on one commit on a node that is up. */
async function verifyCommit(
  ports: Ports,
  project: ProjectId,
  commit: Oid,
  policyRevision: Oid,
  landing?: { task: Task; run: string },
): Promise<Verdict> {
  const policy = await ports.settings.policyAt(project, policyRevision);
  const verify = [
    ...policy.verify,
    ...(landing?.task.spec.verify ?? []).filter((own) => !policy.verify.some((common) => common.run === own.run && common.cwd === own.cwd)),
  ];
  const node = nodeForVerify(ports);
  const url = await ports.nodes.prepareRepository(node, project);
  await ports.repositories.sendCommit(project, commit, url);
  ports.at("verify-run:before");
  const results = await ports.nodes.runVerify(node, { id: landing?.run ?? `${project}@${commit}`, project, commit, verify });
  const findings = judgeVerify({ verify: results });
  return { green: !hasBlocking(findings), results, findings };
}

function nodeForVerify(ports: Ports): NodeId {
  const up = ports.nodes.nodes().filter((node) => node.status.kind === "up");
  // A closed node takes no tasks, but what is done has to land also when no other one is there.
  const open = up.filter((candidate) => candidate.closed === null);
  const node = open.find((candidate) => !candidate.lowPriority) ?? open[0] ?? up[0];
  if (node === undefined)
    throw new FactoryError("NODE_UNREACHABLE", "no node is up to run the tests on", {
      fault: "dependency",
      retry: "later",
      hint: "see dispatch status for the nodes",
    });
  return node.id;
}

function landingTask(world: World, id: TaskId): (Task & { state: Extract<Task["state"], { kind: "landing" }> }) | undefined {
  const task = world.tasks.get(id);
  invariant(task !== undefined, `task ${id} is unknown`);
  return task.state.kind === "landing" ? { ...task, state: task.state } : undefined;
}

function stopped(project: Project, error: unknown): FactoryEvent {
  if (!(error instanceof FactoryError)) throw error;
  return { type: "collect-stopped", project: project.id, code: error.code, because: error.message, hint: error.hint ?? "" };
}

function conflictWithOrigin(taken: Extract<TakeInOutcome, { outcome: "conflict" }>, source: ProjectSource): FactoryError {
  const { paths, origin, hub } = taken;
  return new FactoryError("ORIGIN_CONFLICT", `origin's ${origin.slice(0, 12)} and what landed here both changed ${paths.join(", ")}`, {
    fault: "user",
    hint: `in a clone of the project, on ${source.branch}: git pull, git fetch ${hub} main, git merge FETCH_HEAD, resolve, push; then collect again`,
  });
}
