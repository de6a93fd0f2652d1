import { type AttemptId, effectKey, type FactoryEvent, type NodeId, type World } from "@dispatch/core";
import type { Controller } from "./controller.ts";
import type { Life } from "./life.ts";
import type { Sim } from "./sim.ts";

/** For a node that is not configured, by the rules of the engine. */
const unknownLostAfterMs = 10 * 60_000;

/** What a fact about a node or the fence of an attempt may follow; `folded` is the world before it. */
export function checkNodeFact(sim: Sim, controller: Controller, folded: World, event: FactoryEvent, at: number): void {
  if (event.type === "node-lost") checkLoss(sim, controller.life(), event.node, at);
  else if (event.type === "node-returned") {
    sim.gaveUp.delete(event.node);
    tallyReturn(sim, folded, event.node);
  } else if (event.type === "attempt-refused") checkRefused(sim, folded, event.attempt);
  else if (event.type === "attempt-retired") checkRetired(sim, folded, event.attempt);
  else if (event.type === "attempt-fenced") {
    sim.tally("fenced");
    const node = folded.attempts.get(event.attempt)?.node ?? "";
    if (folded.nodes.get(node)?.reach.kind !== "lost") sim.violate("8 fence", `${event.attempt} was fenced, and its node ${node} is not lost`);
  } else if (event.type === "attempt-abandoned") {
    const node = folded.attempts.get(event.attempt)?.node ?? "";
    if (!sim.gaveUp.has(node)) sim.violate("4 salvage", `${event.attempt} was given up, and nobody gave ${node} up`);
    sim.abandoned.add(event.attempt);
    sim.tally("abandoned");
  }
}

/** Nobody has forgotten what nobody was told of. */
function checkRefused(sim: Sim, folded: World, id: AttemptId): void {
  const attempt = folded.attempts.get(id);
  const isWaiting = attempt?.state.kind === "starting" && attempt.cursor === 0;
  if (isWaiting && sim.ledger.pending.has(effectKey({ do: "start-attempt", attempt: id })))
    sim.violate("forgotten", `${id} was refused before anybody asked for its start`);
}

/** Nobody is called lost before the deadline, nor while no other node was up. */
function checkLoss(sim: Sim, life: Life | undefined, node: NodeId, at: number): void {
  if (sim.gaveUp.has(node) || life === undefined) return;
  const link = life.links.get(node);
  sim.tally(link === undefined ? "unknown node lost" : "node lost");
  const dueAt = lostAt(life, node);
  if (dueAt === undefined || at < dueAt) sim.violate("9 deadline", `${node} is called lost before its deadline`);
}

/** When a node is to be lost if nothing changes; undefined: never. A witness is seen from the start of the engine on. */
function lostAt(life: Life, node: NodeId): number | undefined {
  const link = life.links.get(node);
  const lostAfterMs = link === undefined ? unknownLostAfterMs : link.machine.plan.lostAfterMs;
  const witnesses = [...life.links.values()].filter((other) => other !== link && other.up).map((other) => other.upSince);
  if (lostAfterMs === null || witnesses.length === 0) return undefined;
  return Math.max(link?.downSince ?? life.startedAt, Math.max(life.startedAt, Math.min(...witnesses))) + lostAfterMs;
}

/** When nothing is left to do in this moment: no deadline was missed, and who is back is known to be. */
export function checkDeadlines(sim: Sim, life: Life): void {
  const world = life.engine?.world;
  if (world === undefined) return;
  const isLost = (node: NodeId) => world.nodes.get(node)?.reach.kind === "lost";
  for (const [node, link] of life.links) {
    if (link.up && isLost(node)) sim.violate("9 deadline", `${node} is up, and still counts as lost`);
    if (link.up || isLost(node)) continue;
    const dueAt = lostAt(life, node);
    if (dueAt !== undefined && dueAt < sim.timeline.now()) sim.violate("9 deadline", `the deadline of ${node} is over, and it is not lost`);
  }
}

function tallyReturn(sim: Sim, folded: World, node: NodeId): void {
  for (const attempt of folded.attempts.values()) {
    if (attempt.node !== node || attempt.state.kind !== "fenced") continue;
    const session = sim.machines.get(node)?.sessions.get(attempt.id);
    if (session === undefined) sim.tally("back forgotten");
    else sim.tally(session.alive ? "back alive" : session.over ? "back ended" : "back vanished");
  }
}

/** What was retired is nowhere on its node any more. */
function checkRetired(sim: Sim, folded: World, id: AttemptId): void {
  const session = sim.machines.get(folded.attempts.get(id)?.node ?? "")?.sessions.get(id);
  if (session === undefined || session.job === undefined) return;
  sim.tally("retired with work");
  if (session.hidden) return;
  if (session.alive || session.work !== undefined) sim.violate("4 salvage", `${id} was retired, and its node still holds it`);
}

/** In the end nothing lives or lies on any node but what the lead gave up, and what its node had once forgotten. */
export function checkNothingLeft(sim: Sim): void {
  for (const machine of sim.machines.values()) {
    for (const session of machine.sessions.values()) {
      if (session.hidden || sim.abandoned.has(session.id)) continue;
      if (session.alive || session.work !== undefined) sim.violate("session left", `in the end ${session.id} is still on ${machine.plan.id}`);
    }
  }
}
