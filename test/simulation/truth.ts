import type { AttemptId, Oid, ProjectId } from "@dispatch/core";
import { workingPaths } from "./paths.ts";
import { mixBits } from "./random.ts";

/** Path to the name of its content. */
export type Tree = ReadonlyMap<string, string>;

export interface Commit {
  oid: Oid;
  parents: readonly Oid[];
  tree: Tree;
  treeOid: Oid;
}

/** What really is in the repositories, whatever anybody says: the simulated git objects and refs. */
export interface Hub {
  project: ProjectId;
  /** Commits that are in the hub. */
  has: Set<Oid>;
  main: Oid;
  origin: Oid;
  opened: boolean;
  refs: Map<string, Oid>;
  /** While it is true every test run is red, whatever it runs on. */
  testsBroken: boolean;
}

export interface Truth {
  hubs: ReadonlyMap<ProjectId, Hub>;
  hub(project: ProjectId): Hub;
  /** No room where the hubs are. */
  diskFull: boolean;
  /** The same content gives the same commit. */
  commit(tree: Tree, parents: readonly Oid[], note: string): Commit;
  object(oid: Oid): Commit;
  isAncestor(older: Oid, newer: Oid): boolean;
  /** Trees on which the verify commands were seen green by a node. */
  green: Set<Oid>;
  /** All that a worktree may hold that must not be lost, by attempt: commits that the hub holds for it. */
  held(project: ProjectId, attempt: AttemptId): readonly Commit[];
  hold(project: ProjectId, attempt: AttemptId, oid: Oid): void;
}

export function createTruth(projects: readonly ProjectId[]): Truth {
  const objects = new Map<Oid, Commit>();
  const names = new Map<string, Oid>();
  const kept = new Map<string, Commit[]>();
  let serial = 0;

  function nameOf(content: string): Oid {
    const known = names.get(content);
    if (known !== undefined) return known;
    serial += 1;
    const word = mixBits(serial).toString(16).padStart(8, "0");
    const oid = word.repeat(5);
    names.set(content, oid);
    return oid;
  }

  function commit(tree: Tree, parents: readonly Oid[], note: string): Commit {
    const treeOid = nameOf(`tree ${treeText(tree)}`);
    const oid = nameOf(`commit ${treeOid} ${parents.join(" ")} ${note}`);
    const known = objects.get(oid);
    if (known !== undefined) return known;
    const made: Commit = { oid, parents, tree, treeOid };
    objects.set(oid, made);
    return made;
  }

  function object(oid: Oid): Commit {
    const found = objects.get(oid);
    if (found === undefined) throw new Error(`no object ${oid} in the simulation`);
    return found;
  }

  const hubs = new Map<ProjectId, Hub>();
  for (const project of projects) {
    const first = commit(new Map(workingPaths.map((path) => [path, `${path} at first`])), [], `first of ${project}`).oid;
    hubs.set(project, { project, has: new Set(), main: first, origin: first, opened: false, refs: new Map(), testsBroken: false });
  }

  return {
    hubs,
    diskFull: false,
    hub(project) {
      const hub = hubs.get(project);
      if (hub === undefined) throw new Error(`no project ${project}`);
      return hub;
    },
    commit,
    object,
    isAncestor(older, newer) {
      const seen = new Set<Oid>();
      const stack = [newer];
      for (let oid = stack.pop(); oid !== undefined; oid = stack.pop()) {
        if (oid === older) return true;
        if (seen.has(oid)) continue;
        seen.add(oid);
        stack.push(...object(oid).parents);
      }
      return false;
    },
    green: new Set(),
    held: (project, attempt) => kept.get(`${project} ${attempt}`) ?? [],
    hold(project, attempt, oid) {
      const key = `${project} ${attempt}`;
      const list = kept.get(key);
      if (list === undefined) kept.set(key, [object(oid)]);
      else list.push(object(oid));
    },
  };
}

const texts = new WeakMap<Tree, string>();

/** The same for trees with the same content. */
export function treeText(tree: Tree): string {
  const known = texts.get(tree);
  if (known !== undefined) return known;
  const text = [...tree]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, blob]) => `${path}=${blob}`)
    .join("\n");
  texts.set(tree, text);
  return text;
}

export function changedPaths(from: Tree, to: Tree): string[] {
  return [...new Set([...from.keys(), ...to.keys()])].filter((path) => from.get(path) !== to.get(path)).sort();
}

export function withPaths(tree: Tree, changes: Iterable<readonly [string, string | undefined]>): Tree {
  const next = new Map(tree);
  for (const [path, blob] of changes) {
    if (blob === undefined) next.delete(path);
    else next.set(path, blob);
  }
  return next;
}

/** What tests would say of a tree: red where something bad is in it, or two that do not go together. */
export function isTreeGreen(tree: Tree): boolean {
  const brittle = new Set<string>();
  for (const blob of tree.values()) {
    if (blob.includes("!red")) return false;
    if (blob.includes("!brittle")) brittle.add(blob.slice(0, blob.indexOf(" ")));
  }
  return brittle.size < 2;
}
