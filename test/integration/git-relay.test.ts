import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { resultRef } from "@dispatch/core";
import { plainConfig } from "@dispatch/fleet";
import { createRepositories, type GitRepositories } from "@dispatch/git";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makePool, makeWorkerBundle, type PoolScene } from "../../packages/fleet/src/testing/pool-scene.ts";
import { eventually } from "../kit/eventually.ts";
import { killHard } from "../kit/find-processes.ts";
import { makeSshLab, type SshLab, type SshMachine } from "../kit/real-sshd.ts";

let lab: SshLab;
let machine: SshMachine;
let scene: PoolScene;
let repositories: GitRepositories;
let source: string;

beforeEach(async () => {
  lab = makeSshLab();
  machine = await lab.add("alpha");
  source = join(lab.dir, "source");
  mkdirSync(source);
  git(source, "init", "-q", "-b", "main");
  writeFileSync(join(source, "a.txt"), "a\n");
  git(source, "add", "-A");
  git(source, "commit", "-qm", "base");
});

afterEach(async () => {
  await scene.pool.close();
  await lab.close();
});

function git(dir: string, ...args: string[]): string {
  return execFileSync("git", ["-C", dir, "-c", "user.name=t", "-c", "user.email=t@t", ...args], { encoding: "utf8" }).trim();
}

async function open(transport: "ssh2" | "openssh"): Promise<void> {
  scene = makePool({
    nodes: [
      {
        id: "far",
        slots: 8,
        lowPriority: false,
        labels: [],
        executors: null,
        capacity: { cpus: null, memoryMb: null, gpus: 0 },
        ...plainConfig,
        ssh: { target: "alpha", transport, hostKey: machine.hostKey(), workDir: "~/.dispatch" },
      },
    ],
    workerBundle: makeWorkerBundle(lab.dir),
    knownHostsDir: join(lab.dir, "known"),
    configFile: lab.configFile,
  });
  await scene.pool.open();
  repositories = createRepositories({ hubDir: join(lab.dir, "hub"), dial: scene.pool.dialRepository });
}

const onNode = (...args: string[]) => git(join(machine.home, ".dispatch/repos/shop.git"), ...args);

describe.each(["ssh2", "openssh"] as const)("git over %s", (transport) => {
  test("a base is pushed and a result fetched, both ways any number of times", async () => {
    await open(transport);
    const main = await repositories.openHub({ id: "shop", repo: source, branch: "main" });
    const url = await scene.pool.prepareRepository("far", "shop");
    await repositories.sendCommit("shop", main, url);
    await repositories.sendCommit("shop", main, url);
    expect(onNode("for-each-ref", "--format=%(refname) %(objectname)")).toBe(`refs/dispatch/base/${main} ${main}`);
    const tip = onNode("commit-tree", `${main}^{tree}`, "-p", main, "-m", "made there");
    const attempt = "shop--S01-one--1";
    onNode("update-ref", resultRef(attempt), tip);
    await repositories.fetchAttempt("shop", attempt, url, { tip, salvage: null });
    expect(git(join(lab.dir, "hub/shop.git"), "rev-parse", resultRef(attempt))).toBe(tip);
    expect(machine.connections()).toHaveLength(1);
  });

  test("many conversations at once share the connection of a stock sshd", async () => {
    await open(transport);
    const main = await repositories.openHub({ id: "shop", repo: source, branch: "main" });
    const url = await scene.pool.prepareRepository("far", "shop");
    await repositories.sendCommit("shop", main, url);
    const attempts = Array.from({ length: 16 }, (_, n) => `shop--S${String(n + 1).padStart(2, "0")}-one--1`);
    const tips = attempts.map((attempt) => {
      const tip = onNode("commit-tree", `${main}^{tree}`, "-p", main, "-m", attempt);
      onNode("update-ref", resultRef(attempt), tip);
      return tip;
    });
    await Promise.all(attempts.map((attempt, n) => repositories.fetchAttempt("shop", attempt, url, { tip: tips[n] ?? null, salvage: null })));
    expect(attempts.map((attempt) => git(join(lab.dir, "hub/shop.git"), "rev-parse", resultRef(attempt)))).toEqual(tips);
    expect(machine.connections()).toHaveLength(1);
  });

  test("a cut in the middle of a push fails as a node that cannot be reached, and the next push is whole", async () => {
    writeNoise(join(source, "noise.bin"), 64);
    git(source, "add", "-A");
    git(source, "commit", "-qm", "much");
    await open(transport);
    const main = await repositories.openHub({ id: "shop", repo: source, branch: "main" });
    const url = await scene.pool.prepareRepository("far", "shop");
    const sending = repositories.sendCommit("shop", main, url).then(
      () => "sent",
      (error: unknown) => (error as { code: string }).code,
    );
    const incoming = join(machine.home, ".dispatch/repos/shop.git/objects");
    await eventually("the first data", () => readdirSync(incoming).some((name) => name.startsWith("tmp_objdir-incoming")));
    machine.cut();
    expect(await sending).toBe("NODE_UNREACHABLE");
    await scene.until("the return", () => scene.pool.nodes()[0]?.status.kind === "up");
    await repositories.sendCommit("shop", main, await scene.pool.prepareRepository("far", "shop"));
    onNode("fsck", "--connectivity-only");
    expect(onNode("cat-file", "-t", main)).toBe("commit");
  });

  test("calls are answered while much is pushed and fetched", async () => {
    writeNoise(join(source, "noise.bin"), 16);
    git(source, "add", "-A");
    git(source, "commit", "-qm", "much");
    await open(transport);
    const main = await repositories.openHub({ id: "shop", repo: source, branch: "main" });
    const url = await scene.pool.prepareRepository("far", "shop");
    expect(await callsDuring(repositories.sendCommit("shop", main, url))).toBeGreaterThan(10);
    const attempt = "shop--S01-one--1";
    const tip = makeOnNode("result.bin", 16, main);
    onNode("update-ref", resultRef(attempt), tip);
    expect(await callsDuring(repositories.fetchAttempt("shop", attempt, url, { tip, salvage: null }))).toBeGreaterThan(10);
    expect(git(join(lab.dir, "hub/shop.git"), "rev-parse", resultRef(attempt))).toBe(tip);
    expect(scene.log.filter((line) => line.includes("node went down"))).toEqual([]);
  });

  test("a node that refuses says why", async () => {
    await open(transport);
    const main = await repositories.openHub({ id: "shop", repo: source, branch: "main" });
    const url = await scene.pool.prepareRepository("far", "shop");
    rmSync(join(machine.home, ".dispatch/repos/shop.git"), { recursive: true });
    await expect(repositories.sendCommit("shop", main, url)).rejects.toMatchObject({
      code: expect.stringMatching(/^(NODE_UNREACHABLE|GIT_FAILED)$/),
    });
    for (const { pid } of machine.processes().filter(({ args }) => args.includes(" host --home "))) killHard(pid);
  });
});

/** How many calls one after the other are answered before this is done; one would mean that they wait for it. */
async function callsDuring(work: Promise<unknown>): Promise<number> {
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  let calls = 0;
  for (; !over; calls++) await Promise.race([scene.pool.inventory("far"), done]);
  await done;
  return calls;
}

/** A commit with a new file of noise in the node's repository. */
function makeOnNode(name: string, megabytes: number, parent: string): string {
  const file = join(lab.dir, name);
  writeNoise(file, megabytes);
  const blob = onNode("hash-object", "-w", file);
  const tree = execFileSync("git", ["-C", join(machine.home, ".dispatch/repos/shop.git"), "mktree"], {
    input: `100644 blob ${blob}\t${name}\n`,
    encoding: "utf8",
  });
  return onNode("commit-tree", tree.trim(), "-p", parent, "-m", name);
}

function writeNoise(file: string, megabytes: number): void {
  execFileSync("dd", ["if=/dev/urandom", `of=${file}`, "bs=1M", `count=${megabytes}`], { stdio: "ignore" });
}
