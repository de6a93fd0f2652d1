import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type BuiltCar,
  type Candidate,
  type CarId,
  type CarInput,
  type CarMember,
  coversAny,
  FactoryError,
  type GeneratedCommit,
  invariant,
  type Oid,
} from "@dispatch/core";
import { fetchGenerated } from "./carry-attempts.ts";
import { type Collision, findCollisions, indexInfo, isPresent, type PathChange, pathText, sameDelta } from "./compare-deltas.ts";
import { mergeText } from "./merge-text.ts";
import { asOid, type Git } from "./open-git.ts";
import { scratchOf } from "./open-hub.ts";
import { readCommit } from "./read-commit.ts";
import { deltaOf, mergeBaseOf } from "./read-history.ts";
import { reportCollisions, reportForeignHistory } from "./report-conflict.ts";
import { dispatchAuthor, writeCommit } from "./write-commit.ts";

/** Keeps a candidate from being pruned while it waits for its tests. */
export function carRef(car: CarId): string {
  return `refs/gate/car/${car.replace(/[^A-Za-z0-9-]+/g, "--")}`;
}

/** The chain of merges so far: where it ends, and all it changes on main. */
interface Chain {
  commit: Oid;
  tree: Oid;
  changes: readonly PathChange[];
  members: readonly CarMember[];
}

/**
 * What main would be with the members' changes on it, one merge commit each, and one landing commit over all of them.
 * Each path is taken over whole, and only where main still has what the attempt started from; contents are merged for
 * `shared` paths alone, and only where git merges them cleanly. The same input gives the same commits.
 */
export async function buildCar(git: Git, input: CarInput): Promise<BuiltCar> {
  const known = prefixesOf(git);
  const names = prefixNames(input);
  let built = Math.max(
    0,
    names.findLastIndex((name) => known.has(name)),
  );
  let state: Assembly = known.get(names[built] ?? "") ?? {
    chain: { commit: input.onto, tree: input.onto, changes: [], members: [] },
    refused: [],
    deferred: [],
    outdated: [],
  };
  if (built < input.members.length) {
    await withIndex(git, state.chain.tree, async (put) => {
      for (; built < input.members.length; built++) {
        const member = input.members[built];
        invariant(member !== undefined, "a car has no holes");
        state = await take(git, state, member, input, put);
        keep(known, names[built + 1] ?? "", state);
      }
    });
  }
  const { chain, ...told } = state;
  if (chain.members.length === 0) return { candidate: null, held: [], ...told };
  const commit = await pinLanding(git, input, chain);
  return { candidate: { commit, merge: chain.commit, tree: chain.tree }, held: chain.members.map(({ task }) => task), ...told };
}

/** How far the members of a car are put together. */
interface Assembly extends Pick<BuiltCar, "refused" | "deferred" | "outdated"> {
  chain: Chain;
}

async function take(git: Git, state: Assembly, member: CarMember, { onto, shared, generated }: CarInput, put: PutChanges): Promise<Assembly> {
  const about = { ...member, onto };
  const mergeBase = await mergeBaseOf(git, onto, member.tip);
  if (mergeBase === undefined) {
    return { ...state, refused: [...state.refused, { task: member.task, report: await reportForeignHistory(git, about) }] };
  }
  const changed = await deltaOf(git, mergeBase, member.tip);
  const onMain = mergeBase === onto ? [] : await deltaOf(git, mergeBase, onto);
  // Whose version of a generated file it is does not matter: none of them is right for both changes.
  const outdated = [...findCollisions(changed, onMain), ...findCollisions(changed, state.chain.changes)]
    .map(({ path }) => path)
    .filter((path) => coversAny(generated, pathText(path)));
  const wanted = outdated.length === 0 ? changed : changed.filter(({ path }) => !outdated.includes(path));
  const collisions = findCollisions(wanted, onMain);
  const met = findCollisions(wanted, state.chain.changes);
  const delta = await mergeShared(git, { chain: state.chain, member, wanted, clashes: [...collisions, ...met], shared });
  if (delta !== undefined) {
    const chain = await extend(git, state.chain, member, delta, put);
    return { ...state, chain, outdated: [...new Set([...state.outdated, ...outdated.map(pathText)])] };
  }
  if (collisions.length > 0) {
    return { ...state, refused: [...state.refused, { task: member.task, report: await reportCollisions(git, about, mergeBase, collisions) }] };
  }
  const paths = met.map(({ path }) => pathText(path));
  return { ...state, deferred: [...state.deferred, { task: member.task, paths }] };
}

/**
 * A car holds all members of the cars ahead of it, in their order. What was put together for those is taken over:
 * the same input gives the same commits, and objects do not go away.
 */
const prefixes = new WeakMap<Git, Map<string, Assembly>>();
const keptPrefixes = 64;

function prefixesOf(git: Git): Map<string, Assembly> {
  const known = prefixes.get(git) ?? new Map<string, Assembly>();
  prefixes.set(git, known);
  return known;
}

function keep(known: Map<string, Assembly>, name: string, state: Assembly): void {
  known.delete(name);
  known.set(name, state);
  const [oldest] = known.keys();
  if (known.size > keptPrefixes && oldest !== undefined) known.delete(oldest);
}

/** One for no member, and one more with each: names of all that decides what is built so far. */
function prefixNames({ onto, shared, generated, members }: CarInput): string[] {
  const names = [
    createHash("sha256")
      .update(JSON.stringify([onto, shared, generated]))
      .digest("hex"),
  ];
  for (const member of members) {
    const before = names.at(-1) ?? "";
    names.push(
      createHash("sha256")
        .update(JSON.stringify([before, member]))
        .digest("hex"),
    );
  }
  return names;
}

interface SharedMerge {
  chain: Chain;
  member: CarMember;
  wanted: readonly PathChange[];
  clashes: readonly Collision[];
  shared: readonly string[];
}

/** The change as it applies to the chain; undefined when it meets another change on a path that may not be merged, or cannot be. */
async function mergeShared(git: Git, { chain, member, wanted, clashes, shared }: SharedMerge): Promise<readonly PathChange[] | undefined> {
  if (clashes.length === 0) return wanted;
  const meeting = new Set(clashes.map(({ path }) => path));
  const mergeable = clashes.every(
    ({ kind, path, mine }) => kind === "changed" && mine !== undefined && isPresent(mine.newMode) && coversAny(shared, path),
  );
  if (!mergeable) return undefined;
  const merged = await mergeText(git, chain.commit, member.tip);
  if (merged.outcome === "conflict" && merged.paths.some((path) => meeting.has(Buffer.from(path, "utf8").toString("latin1")))) return undefined;
  const now = new Map((await deltaOf(git, chain.tree, merged.tree)).map((change) => [change.path, change]));
  return wanted.flatMap((change) => {
    if (!meeting.has(change.path)) return [change];
    // Both wrote the same: nothing of it is left to do.
    const again = now.get(change.path);
    return again === undefined ? [] : [again];
  });
}

/** One member more. What the chain changes by it is exactly what its branch changed, or nothing is built. */
async function extend(git: Git, chain: Chain, member: CarMember, delta: readonly PathChange[], put: PutChanges): Promise<Chain> {
  const tree = await put(delta);
  invariant(sameDelta(await deltaOf(git, chain.tree, tree), delta), `the merge of ${member.attempt} changes something else than its branch`);
  const commit = await writeMerge(git, chain.commit, member, tree);
  const changed = new Set(delta.map(({ path }) => path));
  return {
    commit,
    tree,
    changes: [...chain.changes.filter(({ path }) => !changed.has(path)), ...delta],
    members: [...chain.members, member],
  };
}

/** Puts changes on top of those before, and gives the tree of all. */
type PutChanges = (delta: readonly PathChange[]) => Promise<Oid>;

async function withIndex(git: Git, onto: Oid, act: (put: PutChanges) => Promise<void>): Promise<void> {
  await mkdir(scratchOf(git.dir), { recursive: true });
  const folder = await mkdtemp(join(scratchOf(git.dir), "index-"));
  const env = { GIT_INDEX_FILE: join(folder, "index") };
  const doing = `put changes on ${onto}`;
  try {
    await git.run({ args: ["read-tree", asOid(onto)], doing, env });
    await act(async (delta) => {
      if (delta.length > 0) await git.run({ args: ["update-index", "-z", "--index-info"], doing, env, input: indexInfo(delta) });
      const { stdout } = await git.run({ args: ["write-tree"], doing, env });
      return asOid(stdout.toString("utf8"));
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The tip as a parent proves that the branch landed, and lets it be reverted by itself. */
async function writeMerge(git: Git, onto: Oid, member: CarMember, tree: Oid): Promise<Oid> {
  return writeCommit(git, {
    tree,
    parents: [onto, member.tip],
    subject: `Merge ${member.specId}: ${member.subject}`,
    trailers: [
      ["Spec-Id", member.specId],
      ["Spec-Attempt", member.attempt],
      ["Spec-Base", member.base],
      ["Spec-Tip", member.tip],
      ["Agent-Id", member.executor],
    ],
    author: (await readCommit(git, member.tip)).author,
    at: member.at,
  });
}

/**
 * The car with generated files as they were made again on top of its candidate, in a commit that lies in a node's repository.
 * Throws GIT_FAILED when that commit is not on the candidate, or changes anything but these files.
 */
export async function takeGenerated(git: Git, input: CarInput, built: BuiltCar, made: GeneratedCommit): Promise<Candidate> {
  const { candidate, held } = built;
  invariant(candidate !== null, "there is no car to take generated files into");
  await fetchGenerated(git, made);
  const { tree, parents } = await readCommit(git, made.commit);
  const strange = (await deltaOf(git, candidate.tree, tree)).map(({ path }) => pathText(path)).filter((path) => !coversAny(input.generated, path));
  if (parents.join() !== candidate.commit || strange.length > 0) {
    throw new FactoryError("GIT_FAILED", `what was generated for car ${input.car} changes ${strange.join(", ") || "another commit"}`, {
      fault: "dependency",
      retry: "later",
    });
  }
  const members = input.members.filter(({ task }) => held.includes(task));
  const commit = await pinLanding(git, input, { commit: candidate.merge, tree, members });
  return { commit, merge: candidate.merge, tree };
}

async function pinLanding(git: Git, input: CarInput, chain: Omit<Chain, "changes">): Promise<Oid> {
  const commit = await writeLanding(git, input, chain);
  await git.run({ args: ["update-ref", carRef(input.car), commit], doing: `pin car ${input.car}` });
  return commit;
}

/** The commits of main's first-parent line are exactly these: each was tested as a whole. */
async function writeLanding(git: Git, input: CarInput, { commit, tree, members }: Omit<Chain, "changes">): Promise<Oid> {
  const [only, ...others] = members;
  invariant(only !== undefined, "a landing of nothing");
  const subject =
    others.length === 0 ? `Land ${only.specId}: ${only.subject}` : `Land ${members.length} specs: ${members.map(({ specId }) => specId).join(", ")}`;
  return writeCommit(git, {
    tree,
    parents: [input.onto, commit],
    subject,
    trailers: [
      ...members.map(({ specId }): [string, string] => ["Spec-Id", specId]),
      ["Train-Id", input.car],
      ["Gate-Run", input.gateRun],
      ["Gate-Tree", tree],
      ["Gate-Hash", input.gateHash],
    ],
    author: dispatchAuthor,
    at: Math.max(...members.map(({ at }) => at)),
  });
}
