import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addToNodesFile, removeFromNodesFile } from "./edit-nodes-file.ts";

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "dispatch-nodes-"));
  writeFileSync(join(dir, "nodes.json"), '{ "nodes": [{ "name": "local", "slots": 2 }] }\n');
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const names = (): string[] =>
  (JSON.parse(readFileSync(join(dir, "nodes.json"), "utf8")) as { nodes: { name: string }[] }).nodes.map(({ name }) => name);

test("of those who write at the same time nobody is overwritten, and nothing is left beside the file", async () => {
  const all = ["a", "b", "c", "d"];
  await Promise.all(all.map((name) => addToNodesFile(dir, { name, ssh_target: name, slots: 1 })));
  expect(names().sort()).toEqual([...all, "local"]);
  await Promise.all(all.slice(1).map((name) => removeFromNodesFile(dir, name)));
  expect(names().sort()).toEqual(["a", "local"]);
  expect(readdirSync(dir).sort()).toEqual([".dispatch", "nodes.json"]);
});

test("what would not be right is refused, and the file stays as it was", async () => {
  const before = readFileSync(join(dir, "nodes.json"), "utf8");
  await expect(addToNodesFile(dir, { name: "local", slots: 1 })).rejects.toMatchObject({ code: "USAGE" });
  await expect(addToNodesFile(dir, { name: "far", ssh_target: "-oProxyCommand=x", slots: 1 })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  await expect(removeFromNodesFile(dir, "far")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(removeFromNodesFile(dir, "local")).rejects.toMatchObject({ code: "NOT_ALLOWED" });
  expect(readFileSync(join(dir, "nodes.json"), "utf8")).toBe(before);
  writeFileSync(join(dir, "nodes.json"), "{ broken");
  await expect(addToNodesFile(dir, { name: "far", ssh_target: "far", slots: 1 })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});
