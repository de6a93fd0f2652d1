import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isFactoryError } from "@dispatch/core";
import { afterEach, describe, expect, test } from "vitest";
import { createRepositories } from "./create-repositories.ts";
import { environment, makeScene, type Scene } from "./testing/git-scene.ts";

let scene: Scene;
afterEach(() => scene.remove());

/** The same hubs, opened by another process. */
const restarted = () => createRepositories({ hubDir: join(scene.root, "hubs"), env: environment() });

async function codeOf(act: Promise<unknown>): Promise<string> {
  try {
    await act;
  } catch (error) {
    if (isFactoryError(error)) return error.code;
    throw error;
  }
  return "no failure";
}

describe("opening a hub", () => {
  test("takes origin's branch as main and sets what 5.2 asks for", async () => {
    scene = makeScene();
    const first = scene.git(scene.project.repo, "rev-parse", "HEAD");
    expect(await scene.repositories.openHub(scene.project)).toBe(first);
    expect(await scene.repositories.mainOf("shop")).toBe(first);
    const setting = (name: string) => scene.git(scene.hub, "config", name);
    expect([setting("core.fsync"), setting("gc.auto"), setting("core.logAllRefUpdates"), setting("merge.directoryRenames")]).toEqual([
      "committed,reference",
      "0",
      "always",
      "false",
    ]);
    expect(readFileSync(join(scene.hub, "HEAD"), "utf8").trim()).toBe("ref: refs/heads/main");
    expect(scene.git(scene.hub, "reflog", "show", "--format=%gs", "refs/heads/main")).not.toBe("");
    scene.git(scene.hub, "fsck", "--strict");
  });

  test("calls its branch main whatever origin calls it, and takes no other branch or tag", async () => {
    scene = makeScene();
    scene.git(scene.project.repo, "tag", "v1");
    scene.git(scene.project.repo, "branch", "other");
    scene.git(scene.project.repo, "branch", "-m", "main", "trunk/stable");
    const main = await scene.repositories.openHub({ ...scene.project, branch: "trunk/stable" });
    expect(scene.git(scene.hub, "rev-parse", "refs/heads/main")).toBe(main);
    expect(scene.git(scene.hub, "for-each-ref", "--format=%(refname)").split("\n")).toEqual(["refs/dispatch/origin/branch", "refs/heads/main"]);
  });

  test("a second opening moves nothing, needs no origin, and mends settings", async () => {
    scene = makeScene();
    const main = await scene.repositories.openHub(scene.project);
    scene.git(scene.hub, "config", "gc.auto", "5");
    rmSync(scene.project.repo, { recursive: true });
    expect(await scene.repositories.openHub(scene.project)).toBe(main);
    expect(scene.git(scene.hub, "config", "gc.auto")).toBe("5");
    expect(await restarted().openHub(scene.project)).toBe(main);
    expect(scene.git(scene.hub, "config", "gc.auto")).toBe("0");
  });

  test("a hub is looked over again when something in it has failed, and made again when it is gone", async () => {
    scene = makeScene();
    const main = await scene.repositories.openHub(scene.project);
    scene.git(scene.hub, "config", "gc.auto", "5");
    await expect(scene.repositories.advanceMain("shop", "1".repeat(40), main)).rejects.toThrow();
    expect(await scene.repositories.openHub(scene.project)).toBe(main);
    expect(scene.git(scene.hub, "config", "gc.auto")).toBe("0");
    rmSync(scene.hub, { recursive: true });
    expect(await scene.repositories.openHub(scene.project)).toBe(main);
    expect(await scene.repositories.mainOf("shop")).toBe(main);
  });

  test("a hub half made by a crash is made again", async () => {
    scene = makeScene();
    const hubs = join(scene.root, "hubs");
    await scene.repositories.openHub(scene.project);
    renameSync(scene.hub, `${scene.hub}.new-0a0b0c`);
    rmSync(join(`${scene.hub}.new-0a0b0c`, "HEAD"));
    writeFileSync(join(`${scene.hub}.new-0a0b0c`, "config.lock"), "");
    const main = await scene.repositories.openHub(scene.project);
    expect(main).toBe(scene.git(scene.project.repo, "rev-parse", "HEAD"));
    expect(readdirSync(hubs)).toEqual(["shop.git"]);
  });

  test("a controller killed at any moment of the first opening leaves nothing that calling again does not mend", async () => {
    scene = makeScene(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f/${i}.txt`, `${i}\n`.repeat(50)])));
    const first = scene.git(scene.project.repo, "rev-parse", "HEAD");
    const program = `
      import { createRepositories } from ${JSON.stringify(new URL("./create-repositories.ts", import.meta.url).pathname)};
      process.stdout.write("go");
      await createRepositories({ hubDir: process.argv[1], env: process.env }).openHub(JSON.parse(process.argv[2]));
      process.stdout.write("done");`;
    const tsx = new URL("../../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;
    for (const delay of [0, 30, 65, 110]) {
      const hubDir = join(scene.root, `killed-${delay}`);
      const args = ["--import", tsx, "--conditions=@dispatch/source", "--input-type=module", "-e", program, hubDir, JSON.stringify(scene.project)];
      const child = spawn(process.execPath, args, { env: environment(), stdio: ["ignore", "pipe", "inherit"] });
      const exited = new Promise((resolve) => child.on("exit", resolve));
      let started = false;
      child.stdout.once("data", () => {
        started = true;
        setTimeout(() => child.kill("SIGKILL"), delay);
      });
      await exited;
      expect(started).toBe(true);
      expect(await createRepositories({ hubDir, env: environment() }).openHub(scene.project)).toBe(first);
      scene.git(join(hubDir, "shop.git"), "fsck", "--strict");
    }
  });

  test("stale locks and leftovers of a crash are removed", async () => {
    scene = makeScene();
    const main = await scene.repositories.openHub(scene.project);
    for (const lock of ["HEAD.lock", "config.lock", "packed-refs.lock", "refs/heads/main.lock"]) writeFileSync(join(scene.hub, lock), "");
    mkdirSync(join(scene.hub, "scratch/index-x"), { recursive: true });
    scene.git(scene.hub, "worktree", "add", "--quiet", "--detach", join(scene.root, "gone"), main);
    rmSync(join(scene.root, "gone"), { recursive: true });
    expect(await restarted().openHub(scene.project)).toBe(main);
    expect(existsSync(join(scene.hub, "refs/heads/main.lock"))).toBe(false);
    expect(existsSync(join(scene.hub, "scratch"))).toBe(false);
    expect(scene.git(scene.hub, "worktree", "list").split("\n")).toHaveLength(1);
  });

  test("a hub that is looked over again after a failure keeps what is being built there", async () => {
    scene = makeScene();
    const main = await scene.repositories.openHub(scene.project);
    const repositories = restarted();
    await repositories.openHub(scene.project);
    expect(await codeOf(repositories.advanceMain("shop", "1".repeat(40), main))).toBe("GIT_FAILED");
    mkdirSync(join(scene.hub, "scratch/index-x"), { recursive: true });
    writeFileSync(join(scene.hub, "HEAD.lock"), "");
    expect(await repositories.openHub(scene.project)).toBe(main);
    expect([existsSync(join(scene.hub, "HEAD.lock")), existsSync(join(scene.hub, "scratch/index-x"))]).toEqual([false, true]);
  });
});

describe("an origin that cannot be opened", () => {
  test.each([
    ["does not exist", "missing"],
    ["is a file", "a-file"],
    ["is no repository", "plain"],
    ["is empty", ""],
  ])("%s", async (_, repo) => {
    scene = makeScene();
    mkdirSync(join(scene.root, "plain"));
    writeFileSync(join(scene.root, "a-file"), "");
    const project = { ...scene.project, repo: repo === "" ? "" : join(scene.root, repo) };
    expect(await codeOf(scene.repositories.openHub(project))).toBe("REPOSITORY_INVALID");
    expect(existsSync(scene.hub)).toBe(false);
  });

  test("a folder inside a repository is refused, naming the repository", async () => {
    scene = makeScene({ "pkg/a.txt": "a\n" });
    const failure = await scene.repositories.openHub({ ...scene.project, repo: join(scene.project.repo, "pkg") }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "REPOSITORY_INVALID", fault: "user" });
    expect((failure as { hint: string }).hint).toContain(scene.project.repo);
  });

  test("a repository without commits says so, and opens after the first one", async () => {
    scene = makeScene();
    const repo = join(scene.root, "empty");
    scene.git(scene.root, "init", "--quiet", "-b", "main", repo);
    const project = { ...scene.project, repo };
    expect(await codeOf(scene.repositories.openHub(project))).toBe("REPOSITORY_INVALID");
    expect(readdirSync(join(scene.root, "hubs"))).toEqual([]);
    const first = scene.commit(repo, { "a.txt": "a\n" });
    expect(await scene.repositories.openHub(project)).toBe(first);
  });

  test("a missing branch names those that exist", async () => {
    scene = makeScene();
    scene.git(scene.project.repo, "branch", "next");
    const failure = await scene.repositories.openHub({ ...scene.project, branch: "develop" }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "REPOSITORY_INVALID", facts: { branches: ["main", "next"] } });
  });

  test.each(["-x", "a..b", "a b", "*"])("branch %s is not a branch name", async (branch) => {
    scene = makeScene();
    expect(await codeOf(scene.repositories.openHub({ ...scene.project, branch }))).toBe("REPOSITORY_INVALID");
  });

  test("a shallow clone is refused with what to do", async () => {
    scene = makeScene();
    scene.commit(scene.project.repo, { "b.txt": "b\n" });
    const repo = join(scene.root, "shallow");
    scene.git(scene.root, "clone", "--quiet", "--depth=1", `file://${scene.project.repo}`, repo);
    expect(await codeOf(scene.repositories.openHub({ ...scene.project, repo }))).toBe("REPOSITORY_INVALID");
    expect(existsSync(scene.hub)).toBe(false);
  });

  test("an unreachable server is reported without the credentials", async () => {
    scene = makeScene();
    const failure = await scene.repositories
      .openHub({ ...scene.project, repo: "http://me:secret@127.0.0.1:9/x.git" })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "ORIGIN_UNREACHABLE", retry: "later" });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain("secret");
  });

  test("a server that never answers is given up, and nothing of the conversation lives on", async () => {
    scene = makeScene();
    const pidFile = join(scene.root, "ssh.pid");
    const ssh = join(scene.root, "ssh");
    writeFileSync(ssh, `#!/bin/sh\necho $$ > ${pidFile}\nexec sleep 600\n`);
    chmodSync(ssh, 0o755);
    const repositories = createRepositories({
      hubDir: join(scene.root, "hubs"),
      env: { ...environment(), GIT_SSH_COMMAND: ssh, GIT_SSH_VARIANT: "simple" },
      remoteQuietMs: 1500,
    });
    expect(await codeOf(repositories.openHub({ ...scene.project, repo: "ssh://host/x.git" }))).toBe("ORIGIN_UNREACHABLE");
    const pid = Number(readFileSync(pidFile, "utf8"));
    const state = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[2] : "gone";
    expect(["Z", "gone"]).toContain(state);
  });

  test("without git on the path the tool is missing", async () => {
    scene = makeScene();
    const repositories = createRepositories({ hubDir: join(scene.root, "hubs"), env: { PATH: scene.root } });
    expect(await codeOf(repositories.openHub(scene.project))).toBe("TOOL_MISSING");
  });

  test("a project id that is a path is refused", async () => {
    scene = makeScene();
    await expect(async () => scene.repositories.openHub({ ...scene.project, id: "../x" })).rejects.toThrow();
    expect(existsSync(join(scene.root, "x.git"))).toBe(false);
  });
});
