import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { resultRef } from "@dispatch/core";
import { plainConfig } from "@dispatch/fleet";
import { createRepositories, type GitRepositories } from "@dispatch/git";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePool, makeWorkerBundle, type PoolScene } from "../../packages/fleet/src/testing/pool-scene.ts";
import { eventually } from "../kit/eventually.ts";
import { makeSshLab, type SshLab, type SshMachine } from "../kit/real-sshd.ts";

const megabytes = 24;

let lab: SshLab;
let machine: SshMachine;
let source: string;
let main: string;
let scene: PoolScene;
let repositories: GitRepositories;
let workDir: string;

beforeAll(async () => {
  lab = makeSshLab();
  machine = await lab.add("alpha");
  source = join(lab.dir, "source");
  mkdirSync(source);
  git(source, "init", "-q", "-b", "main");
  git(source, "config", "core.compression", "0");
  writeFileSync(join(source, "a.txt"), "a\n");
  git(source, "add", "-A");
  git(source, "commit", "-qm", "base");
  main = git(source, "rev-parse", "main");
  git(source, "checkout", "-qb", "much");
  writeNoise(join(source, "noise.bin"));
  git(source, "add", "-A");
  git(source, "commit", "-qm", "much");
});

afterAll(() => lab.close());

function git(dir: string, ...args: string[]): string {
  return execFileSync("git", ["-C", dir, "-c", "user.name=t", "-c", "user.email=t@t", ...args], { encoding: "utf8" }).trim();
}

const repositoryOf = (project: string): string => join(machine.home, workDir, `repos/${project}.git`);
const onNode = (project: string, ...args: string[]) => git(repositoryOf(project), ...args);
const inHub = (project: string, ...args: string[]) => git(join(lab.dir, workDir, `${project}.git`), ...args);

/** The repository of a project on the node, and the commit that its hub begins with. */
async function prepare(project: string, branch: string): Promise<{ base: string; url: string }> {
  const base = await repositories.openHub({ id: project, repo: source, branch });
  return { base, url: await scene.pool.prepareRepository("far", project) };
}

describe.each(["ssh2", "openssh"] as const)("git over %s", (transport) => {
  beforeAll(async () => {
    workDir = `.dispatch-${transport}`;
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
          ssh: { target: "alpha", transport, hostKey: machine.hostKey(), workDir: `~/${workDir}` },
        },
      ],
      workerBundle: makeWorkerBundle(lab.dir),
      knownHostsDir: join(lab.dir, "known"),
      configFile: lab.configFile,
    });
    await scene.pool.open();
    repositories = createRepositories({ hubDir: join(lab.dir, workDir), dial: scene.pool.dialRepository });
  });

  afterAll(() => scene.pool.close());

  test("a base is pushed and results fetched any number of times, many at once on the one connection of a stock sshd", async () => {
    const { base, url } = await prepare("shop", "main");
    expect(base).toBe(main);
    await repositories.sendCommit("shop", main, url);
    await repositories.sendCommit("shop", main, url);
    expect(onNode("shop", "for-each-ref", "--format=%(refname) %(objectname)")).toBe(`refs/dispatch/base/${main} ${main}`);
    // More than the ten sessions that it allows.
    const attempts = Array.from({ length: 12 }, (_, n) => `shop--S${String(n + 1).padStart(2, "0")}-one--1`);
    const tips = attempts.map((attempt) => {
      const tip = onNode("shop", "commit-tree", `${main}^{tree}`, "-p", main, "-m", attempt);
      onNode("shop", "update-ref", resultRef(attempt), tip);
      return tip;
    });
    const fetch = (attempt: string, n: number) => repositories.fetchAttempt("shop", attempt, url, { tip: tips[n] ?? null, salvage: null });
    await fetch(attempts[0] ?? "", 0);
    expect(inHub("shop", "rev-parse", resultRef(attempts[0] ?? ""))).toBe(tips[0]);
    expect(machine.connections()).toHaveLength(1);
    await Promise.all(attempts.slice(1).map((attempt, n) => fetch(attempt, n + 1)));
    expect(inHub("shop", "rev-parse", ...attempts.map(resultRef)).split("\n")).toEqual(tips);
    expect(machine.connections()).toHaveLength(1);
  });

  test("a cut in the middle of a push fails as a node that cannot be reached; the next push is whole, and calls are answered while it and a fetch of as much go on", async () => {
    const { base, url } = await prepare("large", "much");
    const sending = repositories.sendCommit("large", base, url).then(
      () => "sent",
      (error: unknown) => (error as { code: string }).code,
    );
    const incoming = join(repositoryOf("large"), "objects");
    await eventually("the first data", () => readdirSync(incoming).some((name) => name.startsWith("tmp_objdir-incoming")));
    machine.cut();
    expect(await sending).toBe("NODE_UNREACHABLE");
    await scene.until("the return", () => scene.pool.nodes()[0]?.status.kind === "up");
    const again = await scene.pool.prepareRepository("far", "large");
    const logged = scene.log.length;
    expect(await callsDuring(repositories.sendCommit("large", base, again))).toBeGreaterThan(10);
    onNode("large", "fsck", "--connectivity-only");
    expect(onNode("large", "cat-file", "-t", base)).toBe("commit");
    const attempt = "large--S01-one--1";
    const tip = makeOnNode("large", "result.bin", base);
    onNode("large", "update-ref", resultRef(attempt), tip);
    expect(await callsDuring(repositories.fetchAttempt("large", attempt, again, { tip, salvage: null }))).toBeGreaterThan(10);
    expect(inHub("large", "rev-parse", resultRef(attempt))).toBe(tip);
    expect(scene.log.slice(logged).filter((line) => line.includes("node went down"))).toEqual([]);
  });

  test("a node that refuses says why", async () => {
    const { url } = await prepare("gone", "main");
    rmSync(repositoryOf("gone"), { recursive: true });
    await expect(repositories.sendCommit("gone", main, url)).rejects.toMatchObject({
      code: expect.stringMatching(/^(NODE_UNREACHABLE|GIT_FAILED)$/),
    });
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
function makeOnNode(project: string, name: string, parent: string): string {
  const file = join(lab.dir, name);
  writeNoise(file);
  onNode(project, "config", "core.compression", "0");
  const blob = onNode(project, "hash-object", "-w", file);
  const entry = `100644 blob ${blob}\t${name}\n`;
  const tree = execFileSync("git", ["-C", repositoryOf(project), "mktree"], { input: entry, encoding: "utf8" });
  return onNode(project, "commit-tree", tree.trim(), "-p", parent, "-m", name);
}

function writeNoise(file: string): void {
  execFileSync("dd", ["if=/dev/urandom", `of=${file}`, "bs=1M", `count=${megabytes}`], { stdio: "ignore" });
}
