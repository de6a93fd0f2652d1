import {
  type BuiltCar,
  type Candidate,
  type CarInput,
  type CarMember,
  type ConflictReport,
  type DiffText,
  FactoryError,
  type Oid,
  type ProjectId,
  type Repositories,
  resultRef,
  salvageRef,
  type TakeInOutcome,
  type TaskId,
} from "@dispatch/core";
import { callHere, unreachable } from "./calls.ts";
import type { Life } from "./life.ts";
import type { Machine } from "./machine.ts";
import type { Sim } from "./sim.ts";
import { changedPaths, type Hub, isTreeGreen, type Tree, withPaths } from "./truth.ts";

/** The hub as one life of the controller uses it, on simulated git that keeps the truth. */
export function createRepositories(sim: Sim, life: Life): Repositories {
  const { truth } = sim;
  function here<T>(what: string, about: string, perform: () => T, lane?: string): Promise<T> {
    return callHere(sim, life, lane === undefined ? { what, about } : { what, about, lane }, () => {
      if (truth.diskFull) throw new FactoryError("DISK_FULL", "no room in the hub", { retry: "later" });
      return perform();
    });
  }
  function reach(url: string): Machine {
    const node = url.slice(0, url.indexOf(":"));
    const link = life.links.get(node);
    if (link === undefined || !link.up || !link.machine.alive) throw unreachable(node, "no link for git");
    return link.machine;
  }
  return {
    openHub: (source) =>
      here("open hub", source.id, () => {
        const hub = truth.hub(source.id);
        if (!hub.opened) hub.main = hub.origin;
        hub.opened = true;
        takeCommit(sim, hub, hub.main);
        return hub.main;
      }),
    mainOf: (project) => here("read main", project, () => truth.hub(project).main),
    sendCommit: (project, commit, url) =>
      here("send", `${commit.slice(0, 8)} to ${url}`, () => {
        const machine = reach(url);
        const repository = machine.repositories.get(project);
        if (repository === undefined) throw new FactoryError("GIT_FAILED", `no repository ${url}`, { retry: "later" });
        repository.add(commit);
      }),
    fetchAttempt: (project, attempt, url, held) =>
      here("fetch", attempt, () => {
        const hub = truth.hub(project);
        const wanted = [
          [resultRef(attempt), held.tip],
          [salvageRef(attempt), held.salvage],
        ] as const;
        for (const [ref, commit] of wanted) {
          if (commit === null || hub.refs.get(ref) === commit) continue;
          if (reach(url).refs.get(ref) !== commit) throw new FactoryError("GIT_FAILED", `${ref} is not ${commit}`, { retry: "later" });
          hub.refs.set(ref, commit);
          takeCommit(sim, hub, commit);
          truth.hold(project, attempt, commit);
        }
      }),
    diffOf: (project, base, tip) => here("diff", `${project} ${tip.slice(0, 8)}`, () => diffText(truth.object(base).tree, truth.object(tip).tree)),
    buildCar: (project, input) =>
      here(
        "build",
        `car ${input.car}`,
        () => {
          for (const { task } of input.members) {
            // Who was ahead of it may have landed meanwhile.
            if (!["landing", "merged"].includes(sim.ledger.tasks.get(task)?.state.kind ?? ""))
              sim.violate("durable first", `${task} was built into a car before its landing was on disk`);
          }
          return buildCar(sim, truth.hub(project), input);
        },
        `car ${input.car} of ${project}`,
      ),
    // No project of the simulation has generated files.
    takeGenerated: () => Promise.reject(new Error("nothing is generated here")),
    advanceMain: (project, commit, onto) =>
      here(
        "advance",
        `${project} to ${commit.slice(0, 8)}`,
        () => {
          const hub = truth.hub(project);
          if (truth.isAncestor(commit, hub.main)) return { outcome: "advanced" };
          if (hub.main !== onto) return { outcome: "main-moved", main: hub.main };
          if (!truth.isAncestor(onto, commit)) throw new FactoryError("MAIN_MOVED", `${commit} does not contain ${onto}`);
          if (!truth.green.has(truth.object(commit).treeOid))
            sim.violate("3 main", `main of ${project} moved to ${commit.slice(0, 8)}, on which no test was green`);
          hub.main = commit;
          sim.note(`main of ${project} is ${commit.slice(0, 8)}`);
          return { outcome: "advanced" };
        },
        `main of ${project}`,
      ),
    takeInOrigin: (source) => here("take in", source.id, () => takeIn(sim, truth.hub(source.id)), `main of ${source.id}`),
    publishMain: (source) =>
      here(
        "publish",
        source.id,
        () => {
          const hub = truth.hub(source.id);
          somebodyIsFaster(sim, source.id);
          if (hub.origin !== hub.main && !(hub.has.has(hub.origin) && truth.isAncestor(hub.origin, hub.main))) return { outcome: "origin-moved" };
          hub.origin = hub.main;
          return { outcome: "published", commit: hub.main };
        },
        `main of ${source.id}`,
      ),
    listFiles: (project, revision) => here("list", `${project} ${revision.slice(0, 8)}`, () => [...truth.object(revision).tree.keys()]),
    readFile: (project, revision, path) => here("read", `${project} ${path}`, () => truth.object(revision).tree.get(path)),
    readBlobs: (project) => here("read", `blobs of ${project}`, () => new Map()),
    readFiles: (project, revision, paths) =>
      here("read", `files of ${project}`, () => new Map(paths.flatMap((path) => fileAt(truth.object(revision).tree, path)))),
  };
}

function fileAt(tree: Tree, path: string): [string, string][] {
  const text = tree.get(path);
  return text === undefined ? [] : [[path, text]];
}

function takeCommit(sim: Sim, hub: Hub, oid: Oid): void {
  const stack = [oid];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (hub.has.has(next)) continue;
    hub.has.add(next);
    stack.push(...sim.truth.object(next).parents);
  }
}

function buildCar(sim: Sim, hub: Hub, input: CarInput): BuiltCar {
  const { truth } = sim;
  const onto = truth.object(input.onto);
  const refused: { task: TaskId; report: ConflictReport }[] = [];
  const deferred: { task: TaskId; paths: string[] }[] = [];
  const held: CarMember[] = [];
  const changed = new Set<string>();
  let tree = onto.tree;
  let merge = input.onto;
  for (const member of input.members) {
    const base = truth.object(member.base);
    const tip = truth.object(member.tip);
    const mine = changedPaths(base.tree, tip.tree);
    const theirs = changedPaths(base.tree, onto.tree);
    const both = mine.filter((path) => theirs.includes(path));
    const met = mine.filter((path) => changed.has(path));
    if (both.length > 0) refused.push({ task: member.task, report: conflictOf(member, input.onto, both) });
    else if (met.length > 0) deferred.push({ task: member.task, paths: met });
    else {
      const next = mine.map((path) => [path, tip.tree.get(path)] as const);
      tree = withPaths(tree, next);
      merge = truth.commit(tree, [merge, member.tip], `merge ${member.attempt}`).oid;
      for (const path of mine) changed.add(path);
      held.push(member);
    }
  }
  if (held.length === 0) return { candidate: null, held: [], refused, deferred, outdated: [] };
  const names = held.map(({ attempt }) => attempt).join();
  const commit = truth.commit(tree, [input.onto, merge], `land ${names} ${input.gateRun} ${input.gateHash}`);
  takeCommit(sim, hub, commit.oid);
  const candidate: Candidate = { commit: commit.oid, merge, tree: commit.treeOid };
  return { candidate, held: held.map(({ task }) => task), refused, deferred, outdated: [] };
}

function conflictOf(member: CarMember, onto: Oid, paths: readonly string[]): ConflictReport {
  return {
    code: 409,
    spec: member.specId,
    attempt: member.attempt,
    base: member.base,
    main: onto,
    kind: "stale_base",
    textMerge: "clean",
    paths: paths.map((path) => ({ path, expected: null, actual: null, yours: null, changedBy: [] })),
    hint: "build on main as it is now",
  };
}

function takeIn(sim: Sim, hub: Hub): TakeInOutcome {
  const { truth } = sim;
  if (truth.isAncestor(hub.origin, hub.main)) return { outcome: "unchanged", main: hub.main };
  takeCommit(sim, hub, hub.origin);
  if (truth.isAncestor(hub.main, hub.origin)) return { outcome: "ahead", candidate: hub.origin, commits: 1 };
  const origin = truth.object(hub.origin);
  const main = truth.object(hub.main);
  const base = commonAncestor(sim, hub);
  const theirs = changedPaths(base, origin.tree);
  const both = theirs.filter((path) => changedPaths(base, main.tree).includes(path));
  if (both.length > 0) return { outcome: "conflict", paths: both, origin: hub.origin, hub: "hub" };
  const merged = withPaths(
    main.tree,
    theirs.map((path) => [path, origin.tree.get(path)] as const),
  );
  const candidate = truth.commit(merged, [hub.main, hub.origin], "take in");
  takeCommit(sim, hub, candidate.oid);
  return { outcome: "ahead", candidate: candidate.oid, commits: 1 };
}

/** The newest commit of origin's first parents that main has. */
function commonAncestor(sim: Sim, hub: Hub): Tree {
  let oid: Oid | undefined = hub.origin;
  while (oid !== undefined && !sim.truth.isAncestor(oid, hub.main)) oid = sim.truth.object(oid).parents[0];
  return oid === undefined ? new Map() : sim.truth.object(oid).tree;
}

/** Now and then somebody pushes between our last look at origin and our push. */
function somebodyIsFaster(sim: Sim, project: ProjectId): void {
  const name = `race for origin of ${project}`;
  if (!sim.calm() && sim.dice(`${name} ${sim.count(name)}`).chance(0.15)) commitOutside(sim, project, "origin", "docs/b.md", false);
}

/** Somebody outside commits one path: onto origin, or onto main by hand. */
export function commitOutside(sim: Sim, project: ProjectId, where: "origin" | "main", path: string, red: boolean): void {
  const hub = sim.truth.hub(project);
  const parent = sim.truth.object(hub[where]);
  const blob = `outside ${sim.count("outside commits")}${red ? " !red" : ""}`;
  const commit = sim.truth.commit(withPaths(parent.tree, [[path, blob]]), [parent.oid], blob);
  hub[where] = commit.oid;
  if (where === "main") takeCommit(sim, hub, commit.oid);
  if (isTreeGreen(commit.tree) && where === "main") sim.truth.green.add(commit.oid);
}

/** The two parts of a diff as git prints them, for text files of one line. */
function diffText(from: Tree, to: Tree): DiffText {
  let raw = "";
  let patch = "";
  for (const path of changedPaths(from, to)) {
    const before = from.get(path);
    const after = to.get(path);
    const none = "0".repeat(40);
    const oid = (blob: string | undefined) => (blob === undefined ? none : "1".repeat(39) + (blob.length % 10));
    const mode = (blob: string | undefined) => (blob === undefined ? "000000" : "100644");
    const kind = before === undefined ? "A" : after === undefined ? "D" : "M";
    raw += `:${mode(before)} ${mode(after)} ${oid(before)} ${oid(after)} ${kind}\0${path}\0`;
    patch += `diff --git a/${path} b/${path}\n${before === undefined ? "new file mode 100644\n" : ""}index ${oid(before)}..${oid(after)}\n`;
    patch += `--- ${before === undefined ? "/dev/null" : `a/${path}`}\n+++ ${after === undefined ? "/dev/null" : `b/${path}`}\n`;
    patch += `@@ -${before === undefined ? "0,0" : "1"} +${after === undefined ? "0,0" : "1"} @@\n`;
    if (before !== undefined) patch += `-${line(before)}\n`;
    if (after !== undefined) patch += `+${line(after)}\n`;
  }
  return { raw, patch, sizes: new Map() };
}

function line(blob: string): string {
  return blob.includes("!marker") ? `// ${"TO"}${"DO"}: the rest` : `export const value = ${JSON.stringify(blob)};`;
}
