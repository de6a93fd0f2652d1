import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadFactory } from "../config/load-factory.ts";
import { initFactory } from "./init-factory.ts";

let dir = "";

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "dispatch-init-"));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

it("makes a factory that loads, with one local node", async () => {
  const { created, kept } = await initFactory(join(dir, "new"));
  expect(created).toContain("dispatch.yaml");
  expect(kept).toEqual([]);
  const { nodes } = await loadFactory(join(dir, "new"));
  expect(nodes.nodes).toMatchObject([{ name: "local", transport: "local" }]);
});

it("keeps what exists, and changes nothing the second time", async () => {
  writeFileSync(join(dir, "dispatch.yaml"), "version: 1 # mine\n");
  expect((await initFactory(dir)).kept).toContain("dispatch.yaml");
  expect(readFileSync(join(dir, "dispatch.yaml"), "utf8")).toBe("version: 1 # mine\n");
  expect((await initFactory(dir)).created).toEqual([]);
});

it("refuses a file", async () => {
  writeFileSync(join(dir, "file"), "");
  await expect(initFactory(join(dir, "file"))).rejects.toMatchObject({ code: "USAGE" });
});
