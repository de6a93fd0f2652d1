import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "@dispatch/core";
import { expect, it } from "vitest";
import { openTerminal } from "../terminal.ts";
import { runCli } from "../testing/run-cli.ts";
import { simulate } from "./simulate.ts";

const nothing = { seeds: undefined, from: undefined, seed: undefined, jobs: undefined, mutants: false };

it("plays worlds of the checkout that the program belongs to, from anywhere", { timeout: 120_000 }, async () => {
  const end = await runCli(["simulate", "--seeds", "2", "--from", "5"], { cwd: tmpdir() });
  expect([end.code, end.stderr.includes("error:")]).toEqual([0, false]);
  expect(end.stdout).toMatch(/^2 worlds in .* 0 broke a law$/m);
});

it("refuses a number of seeds that is none", async () => {
  expect((await runCli(["simulate", "--seeds", "many"], { cwd: tmpdir() })).code).toBe(2);
});

it("says so where there is no simulation to run", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dispatch-cli-"));
  try {
    const terminal = openTerminal(process.stdout, process.stderr, {});
    const context = { cwd: folder, namedFactory: undefined, editor: undefined, terminal, mainFile: join(folder, "packages/cli/dist/main.js") };
    const refused = await simulate(context, nothing).then(
      () => undefined,
      (error: unknown) => errorCode(error),
    );
    expect(refused).toBe("NOT_FOUND");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
