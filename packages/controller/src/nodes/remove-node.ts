import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Attempt, type AttemptId, FactoryError, holdsSlot, type NodeId } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import { createSqliteLedger } from "@dispatch/store";
import { loadFactory } from "../config/load-factory.ts";
import { lastNode, noSuchNode, removeFromNodesFile } from "./edit-nodes-file.ts";

/** What would be lost with a machine. */
export interface HeldThere {
  /** Attempts whose sessions may still run there. */
  sessions: readonly AttemptId[];
  /** Attempts that are over there and whose work or worktree is still to be fetched or removed. */
  unfetched: readonly AttemptId[];
}

/** Throws NOT_FOUND for a node that nodes.json does not name, and NOT_ALLOWED for the only one. */
export async function requireRemovable(dir: string, name: NodeId): Promise<void> {
  const { nodes } = (await loadFactory(dir)).nodes;
  const names = nodes.map((node) => node.name);
  if (!names.includes(name)) throw noSuchNode(name, names);
  if (names.length === 1) throw lastNode(name);
}

/** What the ledger says of a node, for when no daemon can be asked. */
export async function heldByLedger(dir: string, node: NodeId): Promise<HeldThere> {
  const file = join(dir, factoryPaths.ledger);
  if (!existsSync(file)) return { sessions: [], unfetched: [] };
  const ledger = createSqliteLedger(file);
  try {
    const there = [...ledger.load().world.attempts.values()].filter((attempt) => attempt.node === node && attempt.state.kind !== "discarded");
    const ids = (of: (attempt: Attempt) => boolean): AttemptId[] => there.filter(of).map((attempt) => attempt.id);
    return { sessions: ids(holdsSlot), unfetched: ids((attempt) => !holdsSlot(attempt)) };
  } finally {
    await ledger.close();
  }
}

/** Throws NOT_ALLOWED when something would be lost; `hint` is the way out. */
export function refuseHeld(node: NodeId, { sessions, unfetched }: HeldThere, hint: string): void {
  if (sessions.length + unfetched.length === 0) return;
  const parts = [
    ...(sessions.length === 0 ? [] : [`${sessions.length === 1 ? "a session" : `${sessions.length} sessions`} (${sessions.join(", ")})`]),
    ...(unfetched.length === 0 ? [] : [`what was not fetched yet (${unfetched.join(", ")})`]),
  ];
  throw new FactoryError("NOT_ALLOWED", `node ${node} holds ${parts.join(" and ")}`, { fault: "user", hint, facts: { node, sessions, unfetched } });
}

/** Takes a node out of nodes.json, and forgets its host key. */
export async function removeNode(dir: string, name: NodeId): Promise<void> {
  await removeFromNodesFile(dir, name);
  await rm(join(dir, factoryPaths.knownHosts, name), { force: true });
}
