import { defaultGatePolicy, type GatePolicy } from "@dispatch/core";
import { expect, test } from "vitest";
import { aSpec } from "../../../test/golden/changes/index.ts";
import type { Change } from "./change.ts";
import { judgeChange } from "./judge-change.ts";

function written(path: string, text: string): Change {
  const addedLines = text.split("\n").map((each, i) => ({ line: i + 1, text: each }));
  return {
    path,
    kind: "added",
    oldMode: "000000",
    newMode: "100644",
    oldOid: "0",
    newOid: "1",
    binary: false,
    bytes: { before: 0, after: text.length },
    addedLines,
    removedLines: [],
    hunks: [],
  };
}

const judge = (changes: readonly Change[], policy: Partial<GatePolicy> = {}, modifies = ["src"]) =>
  judgeChange({ spec: aSpec({ modifies }), changes, texts: new Map(), verify: [], policy: { ...defaultGatePolicy, ...policy } });

test("gates speak in their order", () => {
  const gates = judge([written("lib/a.ts", "<<<<<<< HEAD\n// TODO x")]).map((finding) => finding.gate);
  expect(gates).toEqual(["G01", "G02", "G03", "G07"]);
  expect(judge([]).map((finding) => finding.gate)).toEqual(["G01", "G04"]);
});

test("the policy excuses paths from marks, and adds words", () => {
  const changes = [written("src/gates/a.ts", "// TODO x\nconst a = 1; // tbd: later\n<<<<<<< HEAD")];
  const places = (policy: Partial<GatePolicy>) =>
    judge(changes, policy)
      .filter((each) => each.gate !== "G01")
      .map((each) => `${each.gate}:${each.line}`);
  expect(places({})).toEqual(["G02:1", "G07:3"]);
  expect(places({ placeholderWords: ["TBD", "c++"] })).toEqual(["G02:1", "G02:2", "G07:3"]);
  expect(places({ placeholderAllow: ["src/gates/**"], markerAllow: ["src/gates"] })).toEqual([]);
});

test("a flood of findings is cut to a number that can be kept", () => {
  const changes = Array.from({ length: 3000 }, (_, i) => written(`lib/${i}.ts`, "// TODO x"));
  const findings = judge(changes);
  expect(findings.filter((each) => each.gate === "G03")).toHaveLength(51);
  expect(findings.length).toBeLessThan(110);
  expect(findings.find((each) => each.gate === "G03" && each.path === undefined)?.found).toContain("2950");
});

test("lines made to be slow are judged in linear time", () => {
  const hostile = [
    "'\\".repeat(100_000),
    "placeholder ".repeat(20_000),
    `TODO: a${" ".repeat(4_900)}!`,
    `foo(${")".repeat(4_000)}:a {}`,
    `def f(${")->a:".repeat(800)}`,
    "not ".repeat(1_200),
    `${"[^`".repeat(1_600)}`,
    `${"/[".repeat(2_400)}`,
    `export const a: ${"=>".repeat(2_000)}= () => {}`,
    `func f${"<".repeat(4_000)}() {}`,
    "`".repeat(4_900),
    `${"todo(".repeat(900)}`,
  ];
  const changes = ["a.ts", "a.py", "a.swift", "a.kt", "a.cs", "a.md", "a.yml", "a.html"].map((name) => written(`src/${name}`, hostile.join("\n")));
  // Time of the processor, which other work on the machine does not lengthen.
  const started = process.cpuUsage();
  judge(changes);
  const { user, system } = process.cpuUsage(started);
  expect((user + system) / 1000).toBeLessThan(5_000);
});
