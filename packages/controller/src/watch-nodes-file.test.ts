import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../../test/kit/eventually.ts";
import { readNodes } from "./config/load-nodes.ts";
import type { Nodes } from "./config/schema.ts";
import { type NodesFile, watchNodesFile } from "./watch-nodes-file.ts";

let dir: string;
let file: string;
let watched: NodesFile;
let taken: string[][];
let warnings: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "dispatch-nodes-file-"));
  file = join(dir, "nodes.json");
  taken = [];
  warnings = 0;
  writeFileSync(file, textOf("a"));
});

afterEach(() => {
  watched.close();
  rmSync(dir, { recursive: true, force: true });
});

const textOf = (...names: string[]): string => JSON.stringify({ nodes: names.map((name) => ({ name, slots: 1 })) });

function open(): void {
  watched = watchNodesFile({
    dir,
    nodes: nodesOf(textOf("a")),
    take: ({ nodes }) => void taken.push(nodes.map(({ name }) => name)),
    log: { info: () => {}, warn: () => void warnings++ },
  });
}

function nodesOf(text: string): Nodes {
  const read = readNodes(text);
  if ("problems" in read) throw new Error("not a right file");
  return read.value;
}

const isTaken = (...names: string[]) => eventually(`the nodes ${names.join()}`, () => taken.at(-1)?.join() === names.join());

describe("a change of nodes.json is taken in", () => {
  test("when it is written in place, and once", async () => {
    open();
    writeFileSync(file, textOf("a", "b"));
    await isTaken("a", "b");
    await watched.look();
    expect(taken).toHaveLength(1);
  });

  test("when another file is moved over it, again and again", async () => {
    open();
    for (const names of [["b"], ["b", "c"], ["a"]]) {
      writeFileSync(join(dir, "new"), textOf(...names));
      renameSync(join(dir, "new"), file);
      await isTaken(...names);
    }
  });

  test("when it was made before the watch began", async () => {
    writeFileSync(file, textOf("z"));
    open();
    await isTaken("z");
  });

  test("when it is a link whose target changes", async () => {
    const other = mkdtempSync(join(tmpdir(), "dispatch-nodes-target-"));
    try {
      writeFileSync(join(other, "nodes"), textOf("a"));
      rmSync(file);
      symlinkSync(join(other, "nodes"), file);
      open();
      writeFileSync(join(other, "nodes"), textOf("far"));
      await watched.look();
      expect(taken).toEqual([["far"]]);
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  test("not when it says the same in other words", async () => {
    open();
    writeFileSync(file, JSON.stringify({ nodes: [{ slots: 1, name: "a" }] }, null, 8));
    await watched.look();
    expect(taken).toEqual([]);
  });
});

describe("a file that is wrong", () => {
  test("changes nothing, is told with its places, and is forgotten when it is right", async () => {
    open();
    writeFileSync(file, '{ "nodes": [{ "name": "a", "slots": 0 }, { "name": "B", "slots": 1 }] }');
    await eventually("the problem", () => watched.problem() !== undefined);
    expect(watched.problem()).toMatchObject({ code: "CONFIG_INVALID", facts: { problems: [{ path: "nodes.0.slots" }, { path: "nodes.1.name" }] } });
    expect(taken).toEqual([]);
    await watched.look();
    expect(warnings).toBe(1);
    writeFileSync(file, textOf("a"));
    await eventually("peace", () => watched.problem() === undefined);
    expect(taken).toEqual([]);
  });

  test("is told at once to who asks", async () => {
    open();
    await watched.look();
    writeFileSync(file, "{");
    await watched.look();
    expect(watched.problem()).toMatchObject({ code: "CONFIG_INVALID" });
  });

  test("because it is half written is not told at all", async () => {
    open();
    await watched.look();
    const text = textOf("a", "b");
    writeFileSync(file, text.slice(0, 20));
    await new Promise((resolve) => setImmediate(resolve));
    writeFileSync(file, text);
    await isTaken("a", "b");
    expect([watched.problem(), warnings]).toEqual([undefined, 0]);
  });

  test("because it is gone leaves the nodes as they were until it is there again", async () => {
    open();
    rmSync(file);
    await eventually("the problem", () => watched.problem() !== undefined);
    expect(taken).toEqual([]);
    writeFileSync(file, textOf("b"));
    await isTaken("b");
    expect(watched.problem()).toBeUndefined();
  });
});
