import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { resultRef } from "@dispatch/core";
import { type Connection, type Prepared, type Reach, runToEnd, shellWord } from "@dispatch/fleet";
import { createRepositories } from "@dispatch/git";
import { readEnvironment } from "../../config/read-environment.ts";
import type { ReachedHost } from "../reach-host.ts";

const run = promisify(execFile);

/** Carries a tiny commit to a node and another one back, as tasks are carried, in a repository of its own that is gone afterwards. */
export async function tryRelay(connection: Connection, reach: Reach, prepared: Prepared, host: ReachedHost): Promise<void> {
  const project = `doctor-${randomBytes(6).toString("hex").replace(/^\d/, "x")}`;
  const scratch = await mkdtemp(join(tmpdir(), "dispatch-doctor-"));
  let path: string | undefined;
  try {
    const source = await makeSource(join(scratch, "source"));
    path = (await host.link.call("ensureRepo", { project })).path;
    const url = reach.repositoryUrl(path, project);
    const hub = createRepositories({
      hubDir: join(scratch, "hub"),
      dial: (_, service) => connection.run(reach.gitCommand(prepared.home, project, service), "short"),
    });
    const main = await hub.openHub({ id: project, repo: source, branch: "main" });
    await hub.sendCommit(project, main, url);
    const attempt = `${project}--S01-check--1`;
    const tip = await commitThere(connection, path, main, resultRef(attempt));
    await hub.fetchAttempt(project, attempt, url, { tip, salvage: null });
  } finally {
    if (path !== undefined) await runToEnd(connection, ["sh"], `rm -rf ${shellWord(path)}\n`).catch(() => undefined);
    await rm(scratch, { recursive: true, force: true });
  }
}

async function makeSource(folder: string): Promise<string> {
  const env = { ...readEnvironment().all, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const git = (...args: string[]) => run("git", ["-C", folder, "-c", "user.name=doctor", "-c", "user.email=doctor@localhost", ...args], { env });
  await run("git", ["init", "--quiet", "--initial-branch=main", folder], { env });
  await writeFile(join(folder, "check.txt"), "there\n");
  await git("add", "check.txt");
  await git("commit", "--quiet", "-m", "check");
  return folder;
}

async function commitThere(connection: Connection, path: string, parent: string, ref: string): Promise<string> {
  const script = `
export GIT_DIR=${shellWord(path)} GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_AUTHOR_NAME=doctor GIT_AUTHOR_EMAIL=doctor@localhost GIT_COMMITTER_NAME=doctor GIT_COMMITTER_EMAIL=doctor@localhost
tip=$(git commit-tree ${parent}^{tree} -p ${parent} -m back) && git update-ref ${ref} "$tip" && echo "$tip"
`;
  const { out, said, because } = await runToEnd(connection, ["sh"], script);
  const tip = /^[0-9a-f]{40,64}$/m.exec(out)?.[0];
  if (tip === undefined) throw new Error(`git on the node could not make a commit: ${said.trim().split("\n").at(-1) || because}`);
  return tip;
}
