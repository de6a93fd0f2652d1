import { execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noLimits } from "@dispatch/core";
import { nodeRepositoryPath, type TidyOrder, tmuxSocketName } from "@dispatch/protocol";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { attemptFiles } from "../../attempt-files.ts";
import { openGroup } from "../../process/limit/attempt-group.ts";
import { startOf } from "../../process/list-processes.ts";
import { bootId } from "../../process/session-identity.ts";
import { connectHost } from "../../test-kit/host-client.ts";
import { eventually, workerProgram } from "../../test-kit/node-home.ts";
import { ensureRepository } from "../ensure-repository.ts";
import type { Host } from "../host.ts";
import { createProjectTurns } from "../project-turns.ts";
import { createVerifyRunner } from "../run-verify-job.ts";
import { tidyNode } from "./tidy-node.ts";

const hourMs = 3_600_000;
const day = 24 * hourMs;
const allowed: TidyOrder = { over: [], keepMs: day, projects: ["demo"], quotaBytes: null, projectQuotaBytes: null };
const author = { GIT_AUTHOR_NAME: "t", GIT_AUTHOR_EMAIL: "t@t", GIT_COMMITTER_NAME: "t", GIT_COMMITTER_EMAIL: "t@t" };

let root: string;
let host: Host;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "dispatch tidý-")));
  const home = join(root, "home of nöde");
  mkdirSync(home);
  const since = startOf(process.pid) ?? "";
  host = { home, bootId: bootId(), since, socket: tmuxSocketName(home), bundle: join(home, "worker", "none"), notify: () => {} };
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
});

function tidy(change: Partial<TidyOrder>): ReturnType<typeof tidyNode> {
  return tidyNode({ host, turns: createProjectTurns(), verifier: createVerifyRunner(host) }, { ...allowed, ...change });
}

function git(project: string, args: readonly string[], input?: string): string {
  const env = { ...process.env, ...author, GIT_CONFIG_GLOBAL: "/dev/null" };
  const whole = ["--git-dir", nodeRepositoryPath(host.home, project), ...args];
  return execFileSync("git", whole, { encoding: "utf8", env, stdio: ["pipe", "pipe", "pipe"], input: input ?? "" }).trim();
}

/** A commit with one file, which no ref names. The tree is always the same one. */
function commit(project: string, text: string): string {
  const note = join(nodeRepositoryPath(host.home, project), "tree-of-the-test");
  if (!existsSync(note)) {
    const blob = git(project, ["hash-object", "-w", "--stdin"], "content");
    writeFileSync(note, git(project, ["mktree"], `100644 blob ${blob}\tfile\n`));
  }
  return git(project, ["commit-tree", readFileSync(note, "utf8"), "-m", text]);
}

function age(path: string, ms: number): void {
  const at = new Date(Date.now() - ms);
  utimesSync(path, at, at);
}

function baseRef(project: string, text: string, ageMs: number): string {
  const base = commit(project, text);
  git(project, ["update-ref", `refs/dispatch/base/${base}`, base]);
  age(join(nodeRepositoryPath(host.home, project), "refs/dispatch/base", base), ageMs);
  return base;
}

function ageObjects(project: string, ms: number): void {
  const objects = join(nodeRepositoryPath(host.home, project), "objects");
  for (const name of readdirSync(objects, { recursive: true, encoding: "utf8" })) age(join(objects, name), ms);
}

interface Planted {
  project: string;
  n: number;
  ageMs: number;
  saidOver: boolean;
  /** `working` and `ended` have a worktree; `alive` has a wrapper that lives, without one. */
  standing: "working" | "ended" | "discarded" | "alive" | "unclaimed";
}

function nameOf({ project, n }: Planted): string {
  return `${project}--S0${n}-x--1`;
}

/** An attempt as it lies on a node, with refs of its work. */
async function plant(planted: Planted): Promise<{ attempt: string; base: string; refs: readonly string[]; mayGo: boolean }> {
  const { project, n, ageMs, saidOver, standing } = planted;
  await ensureRepository(host, project);
  const attempt = nameOf(planted);
  const files = attemptFiles(host.home, attempt);
  const base = baseRef(project, `base of ${n}`, ageMs);
  const branch = `dispatch/S0${n}/1`;
  mkdirSync(files.dir, { recursive: true });
  writeFileSync(files.job, JSON.stringify({ attempt, project, base, branch, token: `token of ${n}` }));
  writeFileSync(files.events, "");
  appendFileSync(files.agentLog(1), "x".repeat(20_000));
  const lives = standing === "working" || standing === "alive";
  if (standing !== "unclaimed") {
    const identity = { bootId: host.bootId, tmuxStart: 0, pid: lives ? process.pid : 0, pidStart: lives ? host.since : "", token: "t" };
    writeFileSync(files.identity, JSON.stringify(identity));
  }
  const refs = [`refs/dispatch/result/${attempt}`, `refs/dispatch/salvage/${attempt}`];
  git(project, ["update-ref", "--stdin"], refs.map((ref) => `create ${ref} ${commit(project, `${ref} holds this`)}\n`).join(""));
  if (standing === "working" || standing === "ended") {
    git(project, ["worktree", "add", "-q", "-b", branch, files.worktree, base]);
    writeFileSync(join(files.worktree, "new file"), "not committed");
    writeFileSync(join(files.dir, "worktree.json"), "{}");
    refs.push(`refs/heads/${branch}`);
  }
  for (const path of [files.job, files.events]) age(path, ageMs);
  return { attempt, base, refs, mayGo: saidOver && (standing === "discarded" || standing === "unclaimed") };
}

function refsOf(project: string): string[] {
  return git(project, ["for-each-ref", "--format=%(refname)"]).split("\n");
}

const standings = ["working", "ended", "discarded", "alive", "unclaimed"] as const;
const someAttempt = fc.record({
  project: fc.constantFrom("demo", "other", "stranger"),
  ageMs: fc.constantFrom(1000, 2 * hourMs, 3 * day, 30 * day),
  saidOver: fc.boolean(),
  standing: fc.constantFrom(...standings),
});
const someQuota = fc.constantFrom(null, 1, 100_000);

describe("tidying", () => {
  test("takes nothing that is needed, whatever lies there and however short the room is, and what it may take when it is old", async () => {
    const property = fc.asyncProperty(fc.array(someAttempt, { maxLength: 4 }), someQuota, someQuota, async (drawn, quotaBytes, projectQuotaBytes) => {
      rmSync(host.home, { recursive: true });
      mkdirSync(host.home);
      const planted = drawn.map((one, i) => ({ ...one, n: i + 1 }));
      const known = [];
      for (const one of planted) known.push({ ...one, ...(await plant(one)) });
      for (const project of new Set(known.map((one) => one.project))) ageObjects(project, 40 * day);
      await tidy({ over: known.filter((one) => one.saidOver).map((one) => one.attempt), projects: ["demo", "other"], quotaBytes, projectQuotaBytes });
      for (const { attempt, project, base, refs, mayGo, standing, ageMs } of known) {
        const files = attemptFiles(host.home, attempt);
        if (mayGo) {
          if (ageMs > day || quotaBytes === 1 || projectQuotaBytes === 1) expect(existsSync(files.dir)).toBe(false);
          else if (quotaBytes === null && projectQuotaBytes === null) expect(existsSync(files.agentLog(1))).toBe(true);
          continue;
        }
        expect(existsSync(files.agentLog(1))).toBe(true);
        expect(refsOf(project)).toEqual(expect.arrayContaining([...refs, `refs/dispatch/base/${base}`]));
        git(project, ["rev-list", "--objects", "--quiet", ...refs, base]);
        if (standing === "working" || standing === "ended") expect(existsSync(join(files.worktree, "new file"))).toBe(true);
      }
    });
    await fc.assert(property, {
      numRuns: 6,
      examples: [[standings.map((standing) => ({ project: "demo" as const, ageMs: 30 * day, saidOver: true, standing })), 1, 1]],
    });
  });

  test("takes refs of a record that is gone, and bases nobody needs but the newest", async () => {
    const old = await plant({ project: "demo", n: 1, ageMs: 3 * day, saidOver: true, standing: "discarded" });
    const needed = await plant({ project: "demo", n: 2, ageMs: 3 * day, saidOver: false, standing: "ended" });
    const unneeded = baseRef("demo", "unneeded", 2 * day);
    const newest = [2, 3, 4, 5].map((hours) => baseRef("demo", `newest ${hours}`, hours * hourMs));
    const young = baseRef("demo", "young", 1000);
    const strangers = "refs/dispatch/salvage/demo--S09-x--1";
    git("demo", ["update-ref", strangers, commit("demo", "of another controller")]);
    await tidy({ over: [old.attempt] });
    const left = refsOf("demo");
    expect(left).toContain(strangers);
    for (const oid of [needed.base, young, ...newest.slice(0, 3)]) expect(left).toContain(`refs/dispatch/base/${oid}`);
    for (const oid of [old.base, unneeded]) expect(left).not.toContain(`refs/dispatch/base/${oid}`);
    expect(left).toEqual(expect.arrayContaining([...needed.refs]));
    expect(left.filter((ref) => old.refs.includes(ref))).toEqual([]);
  });

  test("packs under pressure; keeps what an attempt at work wrote and no ref names, and drops what is older", async () => {
    const { attempt } = await plant({ project: "demo", n: 1, ageMs: 2 * hourMs, saidOver: false, standing: "ended" });
    const [stale, fresh] = [commit("demo", "nobody knows me"), commit("demo", "only an index knows me")];
    const objects = join(nodeRepositoryPath(host.home, "demo"), "objects");
    ageObjects("demo", 5 * hourMs);
    age(join(objects, fresh.slice(0, 2), fresh.slice(2)), 2 * hourMs);
    await tidy({ projectQuotaBytes: 1 });
    expect(readdirSync(join(objects, "pack")).some((name) => name.endsWith(".pack"))).toBe(true);
    expect(git("demo", ["cat-file", "-t", fresh])).toBe("commit");
    expect(() => git("demo", ["cat-file", "-t", stale])).toThrow();
    git("demo", ["fsck", "--connectivity-only", "--no-dangling"]);
    expect(existsSync(attemptFiles(host.home, attempt).worktree)).toBe(true);
  });

  test("drops the repository of a project that is over only when nothing in it is needed and nobody used it lately", async () => {
    const names = ["quiet", "lately", "rewritten", "branch", "waiting"];
    const waiting = attemptFiles(host.home, "waiting--S01-x--1");
    mkdirSync(waiting.dir, { recursive: true });
    writeFileSync(waiting.job, JSON.stringify({ project: "waiting", base: "0".repeat(40) }));
    for (const project of names) {
      await ensureRepository(host, project);
      baseRef(project, "base", 3 * day);
    }
    git("rewritten", ["update-ref", "refs/dispatch/rewritten/rewritten--S01-x--1", commit("rewritten", "an agent's own")]);
    git("branch", ["update-ref", "refs/heads/dispatch/S01/1", commit("branch", "somebody's")]);
    for (const project of names) {
      ageObjects(project, 3 * day);
      for (const path of ["", "refs/dispatch/base"]) age(join(nodeRepositoryPath(host.home, project), path), 3 * day);
    }
    const base = join(nodeRepositoryPath(host.home, "lately"), "refs/dispatch/base");
    for (const name of readdirSync(base)) age(join(base, name), 1000);
    const { freedBytes, usage } = await tidy({});
    expect(names.map((project) => existsSync(nodeRepositoryPath(host.home, project)))).toEqual([false, true, true, true, true]);
    expect(freedBytes).toBeGreaterThan(0);
    expect(Object.keys(usage.projects).sort()).toEqual(["branch", "lately", "rewritten", "waiting"]);
  });

  test("takes what git knows of a worktree that is gone, also where that was cut off, of attempts that are over alone", async () => {
    await ensureRepository(host, "demo");
    const known = join(nodeRepositoryPath(host.home, "demo"), "worktrees");
    const name = (n: number): string => `demo--S0${n}-x--1`;
    for (const n of [1, 2, 3, 4]) mkdirSync(join(known, name(n)), { recursive: true });
    writeFileSync(join(known, name(1), "gitdir"), `${join(host.home, "work", name(1), ".git")}\n`);
    writeFileSync(join(known, name(4), "locked"), "initializing");
    await tidy({ over: [name(1), name(2), name(4)] });
    expect(readdirSync(known).sort()).toEqual([name(3), name(4)]);
  });

  test("takes worktrees of verify jobs only when room is short or their repository is gone", async () => {
    await ensureRepository(host, "demo");
    const base = baseRef("demo", "base", 1000);
    const verifier = createVerifyRunner(host);
    await verifier.run({ id: "one", project: "demo", bay: 0, commit: base, verify: [] });
    const worktree = join(host.home, "verify", "demo");
    mkdirSync(join(host.home, "verify", "gone", "deep"), { recursive: true });
    await tidy({});
    expect([existsSync(worktree), existsSync(join(host.home, "verify", "gone"))]).toEqual([true, false]);
    await tidy({ quotaBytes: 1 });
    expect(existsSync(worktree)).toBe(false);
    expect(readdirSync(join(nodeRepositoryPath(host.home, "demo"), "worktrees"))).toEqual([]);
    await verifier.run({ id: "two", project: "demo", bay: 0, commit: base, verify: [] });
    expect(existsSync(join(worktree, "file"))).toBe(true);
  });

  test("takes the worktrees of all bays of a project, and of no other one with such a name", async () => {
    for (const project of ["demo", "demo2"]) await ensureRepository(host, project);
    const base = baseRef("demo", "base", 1000);
    const other = baseRef("demo2", "base of the other", 1000);
    const verifier = createVerifyRunner(host);
    for (const bay of [0, 1, 2]) await verifier.run({ id: `in ${bay}`, project: "demo", bay, commit: base, verify: [] });
    await verifier.run({ id: "other", project: "demo2", bay: 1, commit: other, verify: [] });
    const places = () => readdirSync(join(host.home, "verify")).filter((name) => existsSync(join(host.home, "verify", name, "file")));
    expect(places().sort()).toEqual(["demo", "demo+1", "demo+2", "demo2+1"]);
    await tidy({ projects: ["demo", "demo2"] });
    expect(places()).toHaveLength(4);
    expect(await verifier.forget("demo")).toBe(true);
    expect(places()).toEqual(["demo2+1"]);
    expect(readdirSync(join(nodeRepositoryPath(host.home, "demo"), "worktrees"))).toEqual([]);
    await tidy({ projects: ["demo", "demo2"], quotaBytes: 1 });
    expect(readdirSync(join(host.home, "verify")).filter((name) => !name.startsWith("demo."))).toEqual([]);
    for (const bay of [0, 1]) await verifier.run({ id: `again ${bay}`, project: "demo", bay, commit: base, verify: [] });
    expect(places().sort()).toEqual(["demo", "demo+1"]);
  });

  test("leaves the bays of a project alone in which somebody is at work", async () => {
    await ensureRepository(host, "demo");
    const base = baseRef("demo", "base", 1000);
    const verifier = createVerifyRunner(host);
    await verifier.run({ id: "zero", project: "demo", bay: 0, commit: base, verify: [] });
    const gate = join(root, "gate");
    const waits = { run: `while [ ! -e '${gate}' ]; do sleep 0.05; done`, cwd: ".", timeoutSeconds: 60, env: {} };
    const running = verifier.run({ id: "one", project: "demo", bay: 1, commit: base, verify: [waits] });
    await eventually(() => existsSync(join(host.home, "verify", "demo+1", "file")));
    expect(await verifier.forget("demo")).toBe(false);
    expect([existsSync(join(host.home, "verify", "demo")), existsSync(join(host.home, "verify", "demo+1", "file"))]).toEqual([false, true]);
    writeFileSync(gate, "");
    expect(await running).toMatchObject([{ exitCode: 0 }]);
    expect(await verifier.forget("demo")).toBe(true);
    expect(existsSync(join(host.home, "verify", "demo+1"))).toBe(false);
  });

  test("takes old programs that no process was started with", async () => {
    const folder = join(host.home, "worker");
    mkdirSync(folder);
    const [used = "", unused = "", young = ""] = ["a", "b", "c"].map((letter) => join(folder, `${letter.repeat(64)}.mjs`));
    writeFileSync(used, "process.stdin.resume(); console.log('up');");
    for (const path of [unused, young]) writeFileSync(path, "");
    for (const path of [used, unused]) age(path, 2 * hourMs);
    const process_ = spawn(process.execPath, [used], { stdio: ["pipe", "pipe", "ignore"] });
    await new Promise((resolve) => process_.stdout.once("data", resolve));
    await tidy({});
    expect(readdirSync(folder).length).toBe(2);
    expect([existsSync(used), existsSync(young)]).toEqual([true, true]);
    const ended = new Promise((resolve) => process_.once("exit", resolve));
    process_.stdin.end();
    await ended;
    await tidy({});
    expect([existsSync(used), existsSync(young)]).toEqual([false, true]);
  });

  test("measures what each project takes, and tells less after it has freed it", async () => {
    const one = await plant({ project: "demo", n: 1, ageMs: 3 * day, saidOver: true, standing: "discarded" });
    await plant({ project: "other", n: 2, ageMs: 3 * day, saidOver: false, standing: "ended" });
    writeFileSync(join(attemptFiles(host.home, one.attempt).dir, "large"), "x".repeat(3_000_000));
    const before = await tidy({ projects: ["demo", "other"] });
    expect(before.usage.projects["demo"]).toBeGreaterThan(3_000_000);
    expect(before.usage.projects["other"]).toBeLessThan(before.usage.projects["demo"] ?? 0);
    const { folder } = await openGroup("token of 1", noLimits);
    writeFileSync(attemptFiles(host.home, one.attempt).group, JSON.stringify({ folder }));
    const after = await tidy({ projects: ["demo", "other"], over: [one.attempt] });
    expect(folder !== null && existsSync(folder)).toBe(false);
    expect(after.freedBytes).toBeGreaterThan(3_000_000);
    expect(after.usage.bytes).toBeLessThan(before.usage.bytes - 2_900_000);
  });

  test("that is killed in the middle leaves nothing half and is finished by the next", async () => {
    const bundle = join(root, "worker.mjs");
    writeFileSync(bundle, workerProgram(root));
    const known = [];
    for (let n = 1; n <= 4; n++)
      known.push(await plant({ project: "demo", n, ageMs: 3 * day, saidOver: n > 1, standing: n === 1 ? "ended" : "discarded" }));
    for (const { attempt } of known) {
      const many = join(attemptFiles(host.home, attempt).dir, "many");
      mkdirSync(many);
      for (let i = 0; i < 300; i++) writeFileSync(join(many, `${i}`), "");
    }
    const over = known.filter(({ mayGo }) => mayGo).map(({ attempt }) => attempt);
    const killed = connectHost(bundle, host.home);
    await killed.call("hello", { cursors: {} });
    killed.call("tidy", { ...allowed, over }).catch(() => {});
    await eventually(() => readdirSync(join(host.home, "attempts")).some((name) => name.startsWith(".gone-")));
    killed.child.kill("SIGKILL");
    await killed.end();
    const next = connectHost(bundle, host.home);
    await next.call("hello", { cursors: {} });
    const { usage } = await next.call("tidy", { ...allowed, over });
    await next.end();
    expect(usage.bytes).toBeGreaterThan(0);
    expect(readdirSync(join(host.home, "attempts"))).toEqual([known[0]?.attempt]);
    expect(refsOf("demo")).toEqual(expect.arrayContaining([...(known[0]?.refs ?? ["none"])]));
    git("demo", ["fsck", "--connectivity-only", "--no-dangling"]);
  });
});
