import {
  type Effect,
  FactoryError,
  type FactoryEvent,
  type Finding,
  invariant,
  type Oid,
  type ProjectId,
  type Task,
  type World,
} from "@dispatch/core";
import { anchorsOf, type Citation, type ContractTexts, citedText } from "./contract-entries.ts";
import { composeNotice, contractFindings, contractNote } from "./contract-words.ts";
import type { EnginePorts } from "./ports.ts";
import { citationsOf, contractBetween, readContract } from "./read-contract.ts";

type Ports = Pick<EnginePorts, "nodes" | "repositories" | "settings">;

/** The shared contract as one task sees it at its base. */
export interface TaskContract {
  /** Paths of the project's contract files. */
  files: readonly string[];
  /** What the spec cites, in its words. */
  cited: readonly { citation: string; text: string }[];
}

/**
 * The fact that main's move changed the contract, to be recorded together with the move itself; none when it did not.
 * The same two commits give the same answer, so that a move that is performed again tells the same.
 */
export async function contractFacts(ports: Ports, project: ProjectId, from: Oid, to: Oid): Promise<FactoryEvent[]> {
  const changes = await contractBetween(ports, project, { from, to });
  if (changes.length === 0) return [];
  const entries = changes.map(({ file, anchor, change }) => ({ file, anchor, change }));
  return [{ type: "contract-changed", project, from, commit: to, entries }];
}

/** Leaves the notice of a contract change for an attempt that is still at work. */
export async function tellAttempt(ports: Ports, world: World, effect: Extract<Effect, { do: "tell-attempt" }>): Promise<FactoryEvent[]> {
  const attempt = world.attempts.get(effect.attempt);
  invariant(attempt !== undefined, `attempt ${effect.attempt} is unknown`);
  const task = world.tasks.get(attempt.task);
  invariant(task !== undefined, `task ${attempt.task} is unknown`);
  if (attempt.state.kind !== "starting" && attempt.state.kind !== "running") return [];
  const range = { from: effect.from, to: effect.commit };
  const cited = citationsOf(task.spec);
  const changes = await contractBetween(ports, task.project, range, cited);
  if (changes.length > 0) await ports.nodes.tellAttempt(attempt.node, attempt.id, effect.n, composeNotice(changes, cited, range));
  return [];
}

/** What a task has to know of the contract before it begins. Throws SPEC_INVALID when it cites what its base does not hold. */
export async function contractOf(ports: Ports, task: Task, base: Oid): Promise<TaskContract> {
  const citations = citationsOf(task.spec);
  const texts = await readContract(ports, task.project, base, citations);
  const cited: { citation: string; text: string }[] = [];
  const missing: Citation[] = [];
  for (const citation of citations) {
    const text = citedText(texts, citation);
    if (text === undefined) missing.push(citation);
    else cited.push({ citation: citation.text, text });
  }
  if (missing.length > 0) throw notInContract(task, base, missing, texts);
  return { files: [...texts.keys()].sort(), cited };
}

/** What the contract of `onto` says about a result that was built on another one: reasons against its landing, or a remark. */
export async function checkContract(ports: Ports, task: Task, landing: { base: Oid; onto: Oid; tip: Oid }): Promise<Finding[]> {
  const cited = citationsOf(task.spec);
  const changes = await contractBetween(ports, task.project, { from: landing.base, to: landing.onto }, cited);
  const findings = contractFindings(changes, cited, landing);
  if (findings.length > 0) return findings;
  const note = contractNote(changes, landing.base);
  return note === undefined ? [] : [note];
}

function notInContract(task: Task, base: Oid, missing: readonly Citation[], texts: ContractTexts): FactoryError {
  const named = missing.map((citation) => {
    if (!texts.has(citation.file)) return `${citation.text} (there is no file ${citation.file})`;
    const anchors = anchorsOf(texts, citation.file);
    return `${citation.text} (${citation.file} has ${anchors.slice(0, 10).join(", ") || "no entry"}${anchors.length > 10 ? " and more" : ""})`;
  });
  return new FactoryError("SPEC_INVALID", `the spec cites what the shared contract at ${base.slice(0, 12)} does not hold: ${named.join("; ")}`, {
    fault: "user",
    hint: `land the contract first and dispatch retry ${task.id}, or correct contract in the spec and dispatch retry ${task.id} --edited`,
  });
}
