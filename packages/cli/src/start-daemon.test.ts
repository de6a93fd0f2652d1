import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "./testing/run-cli.ts";

let factory = "";

beforeEach(async () => {
  factory = join(await realpath(await mkdtemp(join(tmpdir(), "dispatch-start-"))), "factory");
  expect((await runCli(["init", factory, "--json"], { cwd: tmpdir() })).code).toBe(0);
});

afterEach(() => rm(join(factory, ".."), { recursive: true }));

describe("starting a daemon that cannot start", () => {
  it("a broken configuration is told with every problem before anything is started", async () => {
    await writeFile(join(factory, "dispatch.yaml"), "version: 1\nprojects:\n  shop:\n    repo: .\n    landing: never\n    verfy: x\n");
    const [json, plain] = await Promise.all([runCli(["start", "shop", "--json"], { cwd: factory }), runCli(["start", "shop"], { cwd: factory })]);
    const { error } = JSON.parse(json.stdout);
    expect([json.code, error.code, error.facts.problems.length]).toEqual([2, "CONFIG_INVALID", 2]);
    expect([plain.code, plain.stdout]).toEqual([2, ""]);
    expect(plain.stderr.trimEnd().split("\n")).toHaveLength(4);
  });

  it("a daemon in the background fails with the same code and words as in a terminal", async () => {
    await mkdir(join(factory, ".dispatch"));
    await writeFile(join(factory, ".dispatch/ledger.sqlite"), "no database, but long enough to be read as the head of one\n".repeat(20));
    const [background, terminal] = [await runCli(["start", "shop"], { cwd: factory }), await runCli(["up"], { cwd: factory })];
    expect([background.code, terminal.code]).toEqual([1, 1]);
    expect(background.stderr).toBe(terminal.stderr);
  });
});
