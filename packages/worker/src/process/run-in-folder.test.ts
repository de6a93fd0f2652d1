import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VerifyCommand } from "@dispatch/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { processesWith } from "../../../../test/kit/find-processes.ts";
import { runInFolder } from "./run-in-folder.ts";

let scratch: string;
let root: string;
beforeEach(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-folder-run-")));
  root = join(scratch, "checkout");
  mkdirSync(root);
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const command = (run: string, more: Partial<VerifyCommand> = {}): VerifyCommand => ({ run, cwd: ".", timeoutSeconds: 60, env: {}, ...more });
const run = (...commands: VerifyCommand[]) => runInFolder({ root, scratch, signal: new AbortController().signal }, commands);

test("commands run in order, each with its own end and output", async () => {
  const results = await run(command("echo one > a; echo said"), command("cat a; exit 3"), command("true", { cwd: "gone" }), command("pwd"));
  expect(results.map(({ outcome, exitCode, outputTail }) => [outcome, exitCode, outputTail.trim()])).toEqual([
    ["exited", 0, "said"],
    ["exited", 3, "one"],
    ["not-started", null, "the folder gone is not there"],
    ["exited", 0, root],
  ]);
  expect(readdirSync(scratch)).toEqual(["checkout"]);
});

test("one that takes too long is ended, with all it started", async () => {
  const [result] = await run(command(`export MARK=${scratch}; (setsid sleep 600 &); sleep 600`, { timeoutSeconds: 0.3 }));
  expect(result).toMatchObject({ outcome: "timed-out", exitCode: null });
  expect(processesWith(scratch)).toEqual([]);
});

test("after the signal nothing further is started", async () => {
  const signal = AbortSignal.abort();
  expect(await runInFolder({ root, scratch, signal }, [command("touch a")])).toEqual([]);
  expect(readdirSync(root)).toEqual([]);
});
