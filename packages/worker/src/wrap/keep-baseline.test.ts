import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Baseline } from "@dispatch/gates";
import { afterEach, beforeEach, expect, test } from "vitest";
import { verify } from "../test-kit/node-home.ts";
import { openTestMemory, type TestMemory } from "./keep-baseline.ts";

let repository: string;
const day = 86_400_000;
const now = 1000 * day;
const test1 = { suite: "a.test.js", name: "one" };

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), "test-memory-"));
});
afterEach(() => rmSync(repository, { recursive: true, force: true }));

function memoryOf(attempt: string, base = "b1", run = "npm test"): TestMemory {
  return openTestMemory(repository, { base, verify: [verify(run)] }, join(repository, `${attempt}.json`));
}

function baseline(green: boolean, base = "b1"): Baseline {
  const failures = green ? [] : [{ ...test1, message: "no" }];
  return { base, commands: [{ command: "npm test", green, exitCode: green ? 0 : 1, failures }] };
}

test("a green base is known to every attempt with the same base and commands, a red one to the attempt that saw it", () => {
  memoryOf("att1").keepBaseline(baseline(false));
  expect(memoryOf("att1").readBaseline()).toEqual(baseline(false));
  expect(memoryOf("att2").readBaseline()).toBeUndefined();
  memoryOf("att2").keepBaseline(baseline(true));
  expect(memoryOf("att3").readBaseline()).toEqual(baseline(true));
  expect(memoryOf("att3", "b2").readBaseline()).toBeUndefined();
  expect(memoryOf("att3", "b1", "npm run other").readBaseline()).toBeUndefined();
});

test("only so many bases are kept", () => {
  for (let n = 0; n < 60; n++) memoryOf("att", `b${n}`).keepBaseline(baseline(true, `b${n}`));
  expect(readdirSync(join(repository, "dispatch-tests"))).toHaveLength(50);
  expect(memoryOf("att", "b59").readBaseline()).toBeDefined();
});

test("a baseline that was spoiled is as good as none", () => {
  for (const text of ["", "{", "[]", '{"base":"b1"}', '{"base":"b1","commands":[1]}', '{"base":"b1","commands":[{"command":"x"}]}']) {
    writeFileSync(join(repository, "att.json"), text);
    expect(memoryOf("att").readBaseline()).toBeUndefined();
  }
});

test("flakes are known for a month to all attempts of the project", () => {
  memoryOf("att1").addFlakes([test1], now);
  memoryOf("att2", "b2").addFlakes([{ suite: "", name: "two" }, test1], now + day);
  expect(memoryOf("att3").knownFlakes(now + 2 * day)).toEqual([test1, { suite: "", name: "two" }]);
  expect(memoryOf("att3").knownFlakes(now + 32 * day)).toEqual([]);
});

test("lines of the ledger that say nothing are passed over, and it does not grow without end", () => {
  memoryOf("att").addFlakes([test1], now);
  const ledger = join(repository, "dispatch-tests", "flakes.ndjson");
  appendFileSync(ledger, `{"suite":1}\nnull\n{"suite":"x","name":"y"}\nnot json\n${"{}\n".repeat(200_000)}`);
  memoryOf("att").addFlakes([test1], now);
  expect(memoryOf("att").knownFlakes(now)).toEqual([test1]);
  expect(readFileSync(ledger).length).toBeLessThan(70_000);
  expect(memoryOf("att").knownFlakes(now)).toEqual([test1]);
});
