import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

const identity = { GIT_AUTHOR_NAME: "b", GIT_AUTHOR_EMAIL: "b@b", GIT_COMMITTER_NAME: "b", GIT_COMMITTER_EMAIL: "b@b" };

async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  const { stdout } = await exec(program, args, { cwd, env: { ...process.env, ...identity } });
  return stdout.trim();
}

/**
 * What a task costs without a factory: the git commands that cannot be left out, the agent and its checks, in the same
 * order and with the same number at once. Worktree, agent, verify and commit in `slots` lanes; then, one after the other,
 * fetch into the hub, candidate on main, its checkout and verify, and main moved. Seconds for all of them.
 */
export async function tasksByHand(target: string, n: number, slots: number, verify: string): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), "dispatch-bench-hand-"));
  try {
    await run(home, "git", "clone", "-q", "--bare", target, "hub.git");
    await run(home, "git", "clone", "-q", "--bare", target, "node.git");
    const hub = join(home, "hub.git");
    const node = join(home, "node.git");
    mkdirSync(join(home, "work"));
    let landed: Promise<unknown> = run(node, "git", "worktree", "add", "-q", "--detach", join(home, "verify"), "main");
    let adding: Promise<unknown> = Promise.resolve();
    let next = 0;
    const start = process.hrtime.bigint();
    const lane = async () => {
      for (let i = next++; i < n; i = next++) {
        const tree = join(home, "work", String(i));
        const add = adding.then(() => run(node, "git", "worktree", "add", "-q", "-b", `task-${i}`, tree, "main"));
        adding = add;
        await add;
        await run(tree, "sh", "-c", `mkdir -p src && echo 'export const name = 1;' > src/S${i}.js`);
        await run(tree, "sh", "-c", verify);
        await run(tree, "git", "add", "-A");
        await run(tree, "git", "commit", "-q", "-m", `Task ${i}`);
        landed = landed.then(() => land(home, hub, node, i, verify));
        await landed;
        await run(node, "git", "worktree", "remove", "--force", tree);
      }
    };
    await Promise.all(Array.from({ length: slots }, lane));
    return Number(process.hrtime.bigint() - start) / 1e9;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/**
 * Landing without a factory: each branch of a bare repository is merged in one worktree, tested there, and main moved to it, one
 * after the other. Seconds for all of them. The worktree lies in a folder `verify`, as the factory's own do.
 */
export async function landByHand(from: string, refs: string, verify: string): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), "dispatch-bench-hand-"));
  try {
    const hub = join(home, "hub.git");
    const tree = join(home, "verify", "main");
    await run(home, "git", "clone", "-q", "--bare", from, hub);
    await run(hub, "git", "fetch", "-q", from, `+${refs}*:refs/heads/task/*`);
    const branches = (await run(hub, "git", "for-each-ref", "--format=%(refname)", "refs/heads/task/")).split("\n");
    await run(hub, "git", "worktree", "add", "-q", "--detach", tree, "main");
    const start = process.hrtime.bigint();
    for (const branch of branches) {
      const main = await run(hub, "git", "rev-parse", "refs/heads/main");
      await run(tree, "git", "checkout", "-q", "--detach", main);
      await run(tree, "git", "merge", "-q", "--no-ff", "-m", `Land ${branch}`, branch);
      await run(tree, "sh", "-c", verify);
      await run(hub, "git", "update-ref", "refs/heads/main", await run(tree, "git", "rev-parse", "HEAD"), main);
    }
    return Number(process.hrtime.bigint() - start) / 1e9;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function land(home: string, hub: string, node: string, i: number, verify: string): Promise<void> {
  await run(hub, "git", "fetch", "-q", node, `+task-${i}:refs/result/${i}`);
  await run(hub, "git", "diff", "--raw", "main", `refs/result/${i}`);
  const main = await run(hub, "git", "rev-parse", "main");
  const tree = (await run(hub, "git", "merge-tree", "--write-tree", "main", `refs/result/${i}`)).split("\n")[0] ?? "";
  const commit = await run(hub, "git", "commit-tree", tree, "-p", main, "-p", `refs/result/${i}`, "-m", `Land ${i}`);
  await run(hub, "git", "push", "-q", node, `${commit}:refs/base/${i}`);
  await run(join(home, "verify"), "git", "checkout", "-q", "--detach", commit);
  await run(join(home, "verify"), "sh", "-c", verify);
  await run(hub, "git", "update-ref", "refs/heads/main", commit, main);
}
