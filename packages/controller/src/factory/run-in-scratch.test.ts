import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VerifyCommand } from "@dispatch/core";
import { type BaseView, createRepositories } from "@dispatch/git";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../../../test/kit/eventually.ts";
import { runInScratch } from "./run-in-scratch.ts";

let root = "";
let base: BaseView;
const temp = process.env["TMPDIR"];

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-scratch-test-")));
  const origin = join(root, "origin");
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@localhost", ...args], { cwd: root, stdio: "ignore" });
  git("init", "-q", "-b", "main", origin);
  writeFileSync(join(origin, "a.txt"), "a\n");
  git("-C", origin, "add", "-A");
  git("-C", origin, "commit", "-q", "-m", "first");
  execFileSync("mkdir", [join(root, "tmp")]);
  process.env["TMPDIR"] = join(root, "tmp");
  const found = await createRepositories({ hubDir: join(root, "hubs") }).openBase({ id: "shop", repo: origin, branch: "main" });
  if (found === undefined) throw new Error("no base");
  base = found;
});

afterEach(() => {
  if (temp === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = temp;
  rmSync(root, { recursive: true, force: true });
});

const command = (run: string, more: Partial<VerifyCommand> = {}): VerifyCommand => ({ run, cwd: ".", timeoutSeconds: 60, env: {}, ...more });
const nothingLeft = () => expect(readdirSync(join(root, "tmp"))).toEqual([]);
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

describe("running commands on the base in a scratch folder", () => {
  it.each<[string, readonly VerifyCommand[], string]>([
    ["files of the base are there", [command("test -s a.txt && git diff --quiet HEAD")], "passes"],
    ["all of them pass", [command("true"), command("grep -q a a.txt")], "passes"],
    ["one fails", [command("true"), command("test -e b.txt"), command("echo no > ran")], "fails"],
    ["the program is not there", [command("no-such-program-anywhere")], "fails"],
    ["the folder is not there yet", [command("true", { cwd: "later" })], "fails"],
    ["the folder lies outside", [command("true", { cwd: ".." })], "fails"],
    ["the environment is the spec's", [command('test "$WORD" = said', { env: { WORD: "said" } })], "passes"],
    ["one takes too long", [command("sleep 600", { timeoutSeconds: 0.2 })], "not-run"],
  ])("%s", async (_, commands, outcome) => {
    const before = readdirSync(join(root, "origin"), { recursive: true }).sort();
    expect(await runInScratch(new AbortController().signal)("shop", base, commands)).toBe(outcome);
    nothingLeft();
    expect(readdirSync(join(root, "origin"), { recursive: true }).sort()).toEqual(before);
  });

  it("lets nothing of a secret of this process through", async () => {
    process.env["DISPATCH_TEST_SECRET"] = "x";
    try {
      expect(await runInScratch(new AbortController().signal)("shop", base, [command('test -z "$(printenv DISPATCH_TEST_SECRET)"')])).toBe("passes");
    } finally {
      delete process.env["DISPATCH_TEST_SECRET"];
    }
  });

  it("when it is ended, everything it started ends, and the folder is gone", async () => {
    const controller = new AbortController();
    const pids = join(root, "pids");
    const run = runInScratch(controller.signal)("shop", base, [
      command(`trap '' TERM; sleep 600 & echo $! > ${pids}; echo $$ >> ${pids}; wait; wait`),
    ]);
    await eventually("both processes", () => existsSync(pids) && readFileSync(pids, "utf8").split("\n").length === 3);
    const started = readFileSync(pids, "utf8").trim().split("\n").map(Number);
    expect(started.every(isAlive)).toBe(true);
    controller.abort();
    expect(await run).toBe("not-run");
    await eventually("the end of both", () => !started.some(isAlive));
    nothingLeft();
  });

  it("what a command leaves running is ended too", async () => {
    const pids = join(root, "pids");
    expect(await runInScratch(new AbortController().signal)("shop", base, [command(`sleep 600 & echo $! > ${pids}`)])).toBe("passes");
    const pid = Number(readFileSync(pids, "utf8"));
    await eventually("its end", () => !isAlive(pid));
    nothingLeft();
  });
});
