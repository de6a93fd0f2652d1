import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emptyWorld, evolve, type Task } from "@dispatch/core";
import { exampleSpec, type LintFacts, parseSpec, writeSpecTemplate } from "@dispatch/spec";
import { afterEach, beforeEach, expect, it } from "vitest";
import { aSpec, planned } from "../../../../test/kit/build-facts.ts";
import { type MendableFile, mendFiles } from "./mend-files.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "dispatch-mend-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const facts: LintFacts = { projects: [{ id: "example", hasVerify: true, files: null, protectedPaths: [], tasks: [] }], executors: null };
const good = writeSpecTemplate(exampleSpec);
const wrong = good.replace("modifies: [backend", "modifies: [./backend");

function fileWith(text: string): MendableFile {
  const path = join(dir, `${exampleSpec.id}.md`);
  writeFileSync(path, text);
  const file = `specs/example/${exampleSpec.id}.md`;
  return { file, path, text, parsed: parseSpec({ text, file }) };
}

const read = (file: MendableFile): string => readFileSync(file.path, "utf8");
const mend = (file: MendableFile, tasks: readonly Task[] = []) => mendFiles([file], [file], { facts, tasks });

function taskOf(state: Task["state"]): Task {
  const evolution = evolve(emptyWorld(), planned(aSpec(exampleSpec.id, { project: "example" })), 1);
  const task = evolution.outcome === "moved" ? evolution.change.tasks[0] : undefined;
  if (task === undefined) throw new Error("no task");
  return { ...task, state };
}

it("writes what it mended, and nothing of a file that is good", async () => {
  const file = fileWith(wrong);
  expect(await mend(file)).toMatchObject([{ file: file.file, leftBecause: null, fixes: [{ id: "MOD002" }] }]);
  expect(read(file)).toBe(good);
  expect(await mend(fileWith(good))).toEqual([]);
  expect(readdirSync(dir)).toEqual([`${exampleSpec.id}.md`]);
});

it("leaves a file that somebody changed since it was judged", async () => {
  const file = fileWith(wrong);
  const theirs = `${wrong}\n<!-- more -->\n`;
  writeFileSync(file.path, theirs);
  expect(await mend(file)).toMatchObject([{ leftBecause: expect.any(String) }]);
  expect(read(file)).toBe(theirs);
  rmSync(file.path);
  expect(await mend(file)).toMatchObject([{ leftBecause: expect.any(String) }]);
  expect(readdirSync(dir)).toEqual([]);
});

it("leaves the spec of a task that has begun, and mends that of one that has not", async () => {
  const tries = { tries: 1, limit: 4, feedback: [] };
  for (const state of [{ kind: "cancelled", by: "me", ...tries } as const, { kind: "planned", ...tries } as const]) {
    const file = fileWith(wrong);
    expect(await mend(file, [taskOf(state)])).toMatchObject([{ leftBecause: expect.stringContaining(state.kind) }]);
    expect(read(file)).toBe(wrong);
  }
  const file = fileWith(wrong);
  expect(await mend(file, [taskOf({ kind: "planned", ...tries, tries: 0 })])).toMatchObject([{ leftBecause: null }]);
  expect(read(file)).toBe(good);
});
