import type { TaskId } from "@dispatch/core";
import type { LockEntry } from "./lock-set.ts";

export type Holders = ReadonlySet<TaskId>;

interface Sides {
  exclusive: Set<TaskId>;
  shared: Set<TaskId>;
}

interface HeldGlob extends Sides {
  entry: LockEntry;
}

/**
 * One folder or file of the held locks. Globs are kept at the node of their last segment without a wildcard.
 * The counts are of all entries at the node and below, so that empty parts are never walked.
 */
export interface LockNode extends Sides {
  name: string;
  path: string;
  parent: LockNode | undefined;
  children: Map<string, LockNode>;
  globs: Map<string, HeldGlob>;
  exclusiveBelow: number;
  sharedBelow: number;
}

export function createLockTrie(): LockNode {
  return createNode("", "", undefined);
}

// Most nodes have no holder of a kind, and share these; they are replaced before anything is put in.
const none: Set<TaskId> = new Set();
const noChildren: Map<string, LockNode> = new Map();
const noGlobs: Map<string, HeldGlob> = new Map();

function createNode(name: string, path: string, parent: LockNode | undefined): LockNode {
  return { name, path, parent, children: noChildren, globs: noGlobs, exclusive: none, shared: none, exclusiveBelow: 0, sharedBelow: 0 };
}

export function enter(trie: LockNode, entry: LockEntry, task: TaskId): void {
  let node = trie;
  count(node, entry, 1);
  for (let depth = 0; depth < entry.anchor; depth++) {
    node = childOf(node, entry.segments[depth] as string);
    count(node, entry, 1);
  }
  const sides = entry.glob ? globAt(node, entry) : node;
  if (entry.exclusive) sides.exclusive = plus(sides.exclusive, task);
  else sides.shared = plus(sides.shared, task);
}

/** Takes an entry out that was entered with the same task. Nodes without entries go. */
export function leave(trie: LockNode, entry: LockEntry, task: TaskId): void {
  let node: LockNode | undefined = trie;
  for (let depth = 0; depth < entry.anchor; depth++) node = node?.children.get(entry.segments[depth] as string);
  if (node === undefined) return;
  const sides = entry.glob ? node.globs.get(entry.pattern) : node;
  if (sides === undefined) return;
  (entry.exclusive ? sides.exclusive : sides.shared).delete(task);
  if (entry.glob && sides.exclusive.size === 0 && sides.shared.size === 0) node.globs.delete(entry.pattern);
  for (let up: LockNode | undefined = node; up !== undefined; up = up.parent) {
    count(up, entry, -1);
    if (up.exclusiveBelow === 0 && up.sharedBelow === 0) up.parent?.children.delete(up.name);
  }
}

function count(node: LockNode, entry: LockEntry, by: number): void {
  if (entry.exclusive) node.exclusiveBelow += by;
  else node.sharedBelow += by;
}

function childOf(node: LockNode, name: string): LockNode {
  const known = node.children.get(name);
  if (known !== undefined) return known;
  const child = createNode(name, node.path === "" ? name : `${node.path}/${name}`, node);
  if (node.children === noChildren) node.children = new Map();
  node.children.set(name, child);
  return child;
}

function globAt(node: LockNode, entry: LockEntry): HeldGlob {
  const known = node.globs.get(entry.pattern);
  if (known !== undefined) return known;
  const held: HeldGlob = { entry, exclusive: none, shared: none };
  if (node.globs === noGlobs) node.globs = new Map();
  node.globs.set(entry.pattern, held);
  return held;
}

function plus(set: Set<TaskId>, task: TaskId): Set<TaskId> {
  if (set === none) return new Set([task]);
  return set.add(task);
}
