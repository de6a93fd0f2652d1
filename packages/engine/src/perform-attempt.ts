import {
  type Attempt,
  type AttemptId,
  type AttemptJob,
  type AttemptLimits,
  attemptBranch,
  coversAny,
  errorCode,
  FactoryError,
  type FactoryEvent,
  type GatePolicy,
  invariant,
  isFactoryError,
  isLive,
  type NodeId,
  noLimits,
  type Salvage,
  type Task,
  type TaskSpec,
  type World,
} from "@dispatch/core";
import { blobsToRead, judgeChange, parseDiff } from "@dispatch/gates";
import { composePrompt } from "./compose-prompt.ts";
import { contractOf } from "./perform-contract.ts";
import type { EnginePorts } from "./ports.ts";

type Ports = Pick<EnginePorts, "nodes" | "repositories" | "settings">;

/** Starts a session for an attempt that still waits for one. What the machine refuses for good ends the attempt. */
export async function startAttempt(ports: Ports, world: World, id: AttemptId): Promise<FactoryEvent[]> {
  const { attempt, task } = attemptAndTask(world, id);
  if (attempt.state.kind !== "starting") return [];
  try {
    const job = await composeJob(ports, task, attempt);
    requireConfigured(ports, attempt.node);
    const url = await ports.nodes.prepareRepository(attempt.node, task.project);
    await ports.repositories.sendCommit(task.project, attempt.base, url);
    // All this took its time: what was stopped or fenced meanwhile must not begin.
    if (world.attempts.get(id)?.state.kind !== "starting") return [];
    await ports.nodes.startAttempt(attempt.node, job);
    return [];
  } catch (error) {
    if (!isFactoryError(error) || error.retry === "later") throw error;
    return [{ type: "attempt-refused", attempt: id, because: withHint(error), retry: error.fault === "user" ? "never" : "later" }];
  }
}

async function composeJob(ports: Ports, task: Task, attempt: Attempt): Promise<AttemptJob> {
  const executor = ports.settings.executorOf(task.spec);
  if (executor === undefined) {
    throw new FactoryError("EXECUTOR_UNKNOWN", `executor "${task.spec.executor}" is not configured`, {
      fault: "user",
      hint: "add it under executors in dispatch.yaml, or name another one in the spec, then dispatch retry",
    });
  }
  const policy = await ports.settings.policyAt(task.project, attempt.base);
  const contract = await contractOf(ports, task, attempt.base);
  const verify = task.spec.verify.length > 0 ? task.spec.verify : policy.verify;
  const generated = ports.settings.scheduling().get(task.project)?.generated ?? [];
  return {
    attempt: attempt.id,
    project: task.project,
    specId: task.spec.id,
    n: attempt.n,
    branch: attemptBranch(task.spec.id, attempt.n),
    base: attempt.base,
    token: `${attempt.id}@${attempt.placedAt.toString(36)}`,
    spec: task.spec,
    specText: task.text,
    specDigest: task.digest,
    prompt: composePrompt({ task, attempt, verify, maxRounds: policy.maxRounds, generated, contract }),
    executor,
    verify,
    gates: withEvidence(policy.gates, task.spec),
    maxRounds: policy.maxRounds,
    limits: limitsOf(ports, task, attempt.node),
    commitSubject: task.spec.commit,
  };
}

/** Where a spec asks for evidence its task may write, also outside of its lock: no other task has that path. */
function withEvidence(gates: GatePolicy, { evidence }: Pick<TaskSpec, "evidence">): GatePolicy {
  return evidence.length === 0 ? gates : { ...gates, alwaysAllowed: [...gates.alwaysAllowed, ...evidence.map(({ path }) => path)] };
}

/** The limits of the node; a task that asked for more than they allow gets what it asked for. */
function limitsOf(ports: Ports, { spec: { resources } }: Task, id: NodeId): AttemptLimits {
  const { memoryMb, cpus, ...limits } = ports.nodes.nodes().find((node) => node.id === id)?.limits ?? noLimits;
  return {
    ...limits,
    memoryMb: memoryMb === null ? null : Math.max(memoryMb, resources.memoryMb),
    cpus: cpus === null ? null : Math.max(cpus, resources.cpus),
  };
}

/** Ends the session of an attempt. One that the node never heard of is over at once. */
export async function stopAttempt(ports: Ports, world: World, id: AttemptId, because: string): Promise<FactoryEvent[]> {
  const { attempt } = attemptAndTask(world, id);
  if (!isLive(attempt)) return [];
  requireConfigured(ports, attempt.node);
  try {
    await ports.nodes.stopAttempt(attempt.node, id, because);
    return [];
  } catch (error) {
    if (errorCode(error) !== "NOT_FOUND") throw error;
    return [{ type: "attempt-refused", attempt: id, because, retry: "later" }];
  }
}

/** Brings everything an attempt left into the hub. Only after this may anything of it be deleted. */
export async function collectAttempt(ports: Ports, world: World, id: AttemptId): Promise<FactoryEvent[]> {
  const { attempt, task } = attemptAndTask(world, id);
  if (attempt.state.kind !== "ended") return [];
  const held = await salvage(ports, task, attempt);
  return [{ type: "attempt-collected", attempt: id, tip: held.tip, salvage: held.salvage }];
}

/** Removes the worktree of a collected attempt. What appeared in it since is collected first. */
export async function discardWorkspace(ports: Ports, world: World, id: AttemptId): Promise<FactoryEvent[]> {
  const { attempt, task } = attemptAndTask(world, id);
  if (attempt.state.kind !== "collected") return [];
  await discard(ports, task, attempt, { tip: attempt.state.tip, salvage: attempt.state.salvage });
  return [{ type: "workspace-discarded", attempt: id }];
}

/**
 * Brings what a fenced attempt left into the hub and clears its node of it. Its task has long gone on.
 * Of one that its node never heard of, or has forgotten, nothing is left.
 */
export async function retireAttempt(ports: Ports, world: World, id: AttemptId): Promise<FactoryEvent[]> {
  const { attempt, task } = attemptAndTask(world, id);
  if (attempt.state.kind !== "fenced") return [];
  requireConfigured(ports, attempt.node);
  try {
    await ports.nodes.stopAttempt(attempt.node, id, attempt.state.because);
  } catch (error) {
    if (errorCode(error) !== "NOT_FOUND") throw error;
    return [{ type: "attempt-retired", attempt: id, tip: null, salvage: null }];
  }
  const held = await discard(ports, task, attempt, await salvage(ports, task, attempt));
  return [{ type: "attempt-retired", attempt: id, ...held }];
}

/** Clears a node of an attempt whose work is in the hub, and returns what that work was in the end. */
async function discard(ports: Ports, task: Task, attempt: Attempt, held: Salvage): Promise<Salvage> {
  requireConfigured(ports, attempt.node);
  try {
    await ports.nodes.discardAttempt(attempt.node, attempt.id, held);
    return held;
  } catch (error) {
    if (errorCode(error) !== "SALVAGE_CHANGED") throw error;
    const now = await salvage(ports, task, attempt);
    await ports.nodes.discardAttempt(attempt.node, attempt.id, now);
    return now;
  }
}

/** What lies in the worktree and on the branch now, once it is in the hub. */
async function salvage(ports: Ports, task: Task, attempt: Attempt): Promise<Salvage> {
  requireConfigured(ports, attempt.node);
  const held = await ports.nodes.salvageAttempt(attempt.node, attempt.id);
  const url = await ports.nodes.prepareRepository(attempt.node, task.project);
  await ports.repositories.fetchAttempt(task.project, attempt.id, url, held);
  return held;
}

/** The gates again, on what arrived in the hub; the node's verdict is not taken over. The tests run at landing, on what lands. */
export async function checkResult(ports: Ports, world: World, id: AttemptId): Promise<FactoryEvent[]> {
  const { attempt, task } = attemptAndTask(world, id);
  if (task.state.kind !== "checking" || task.state.attempt !== id) return [];
  const policy = await ports.settings.policyAt(task.project, attempt.base);
  const diff = await ports.repositories.diffOf(task.project, attempt.base, task.state.tip);
  const changes = parseDiff(diff);
  const gates = withEvidence(policy.gates, task.spec);
  const texts = await ports.repositories.readBlobs(task.project, blobsToRead(changes, gates.contracts));
  const findings = judgeChange({ spec: task.spec, changes, texts, verify: null, policy: gates });
  const barrier = ports.settings.scheduling().get(task.project)?.barrier ?? [];
  const alone = changes.some(({ path }) => coversAny(barrier, path));
  return [{ type: "result-checked", attempt: id, findings, ...(alone ? { alone } : {}) }];
}

function attemptAndTask(world: World, id: AttemptId): { attempt: Attempt; task: Task } {
  const attempt = world.attempts.get(id);
  invariant(attempt !== undefined, `attempt ${id} is unknown`);
  const task = world.tasks.get(attempt.task);
  invariant(task !== undefined, `task ${attempt.task} is unknown`);
  return { attempt, task };
}

/** That a pool does not know a node says nothing about what the node knows of its attempts: it is out of reach like any other. */
function requireConfigured(ports: Pick<Ports, "nodes">, id: NodeId): void {
  if (ports.nodes.nodes().some((node) => node.id === id)) return;
  throw new FactoryError("NODE_UNREACHABLE", `node ${id} is not configured`, {
    fault: "user",
    retry: "later",
    hint: `put it back into nodes.json, or give it up with what was never fetched from there: dispatch node remove ${id} --abandon`,
  });
}

function withHint(error: FactoryError): string {
  return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
}
