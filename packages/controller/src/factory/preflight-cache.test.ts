import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VerifyCommand } from "@dispatch/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { anOid } from "../../../../test/kit/build-facts.ts";
import { openPreflightCache } from "./preflight-cache.ts";

let dir = "";
let now = 1_000_000;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "dispatch-cache-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const commands = (run: string, timeoutSeconds = 60): VerifyCommand[] => [{ run, cwd: ".", timeoutSeconds, env: {} }];
const open = () => openPreflightCache(dir, () => now);

it("remembers outcomes by tree and command, for a day, also for the next process", async () => {
  await open().set(anOid(1), commands("a"), "passes");
  await open().set(anOid(1), commands("b"), "fails");
  const cache = open();
  expect([await cache.get(anOid(1), commands("a")), await cache.get(anOid(1), commands("b"))]).toEqual(["passes", "fails"]);
  for (const [tree, verify] of [
    [anOid(2), commands("a")],
    [anOid(1), commands("c")],
    [anOid(1), commands("a", 5)],
    [anOid(1), [...commands("a"), ...commands("b")]],
  ] as const)
    expect(await cache.get(tree, verify)).toBeUndefined();
  now += 24 * 60 * 60 * 1000;
  expect(await cache.get(anOid(1), commands("a"))).toBe("passes");
  now += 1;
  expect(await cache.get(anOid(1), commands("a"))).toBeUndefined();
  await cache.set(anOid(1), commands("a"), "fails");
  expect(await cache.get(anOid(1), commands("a"))).toBe("fails");
});

it("keeps nothing that is not believed any more", async () => {
  for (const n of [1, 2, 3]) await open().set(anOid(n), commands("a"), "passes");
  now += 25 * 60 * 60 * 1000;
  await open().set(anOid(4), commands("a"), "passes");
  expect(readdirSync(join(dir, ".dispatch/preflight"))).toHaveLength(1);
});

it("takes a broken file for no memory", async () => {
  const cache = open();
  await cache.set(anOid(1), commands("a"), "passes");
  const folder = join(dir, ".dispatch/preflight");
  for (const text of ["", "{", '{"outcome":"maybe","at":1}', "[]"]) {
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), text);
    expect(await cache.get(anOid(1), commands("a"))).toBeUndefined();
  }
});
