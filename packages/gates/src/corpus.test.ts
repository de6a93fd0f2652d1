import { defaultGatePolicy } from "@dispatch/core";
import { afterAll, describe, expect, test } from "vitest";
import { aSpec, type ChangeCase, changeCases } from "../../../test/golden/changes/index.ts";
import { openDiffBench } from "../../../test/golden/changes/real-diff.ts";
import { blobsToRead, judgeChange } from "./judge-change.ts";
import { parseDiff } from "./parse-diff.ts";

const bench = openDiffBench();
afterAll(() => bench.remove());

const place = ({ gate, path, line }: { gate: string; path?: string; line?: number }) => `${gate} ${path ?? "-"}:${line ?? "-"}`;

function judge(each: ChangeCase, options: readonly string[] = []): string[] {
  const policy = { ...defaultGatePolicy, ...each.policy };
  const changes = parseDiff(bench.diff(each.before, each.after, options));
  const texts = bench.read(blobsToRead(changes, policy.contracts));
  return judgeChange({ spec: aSpec(each.spec), changes, texts, verify: null, policy })
    .filter(({ severity }) => severity === "block")
    .map(place)
    .sort();
}

describe("the findings of a change are the expected ones, and no others", () => {
  test.each(changeCases.map((each) => [`${each.language}: ${each.name}`, each] as const))("%s", (_, each) => {
    const expected = each.expect.map(place).sort();
    expect(judge(each)).toEqual(expected);
    expect(judge(each, ["-c", "core.quotePath=false"])).toEqual(expected);
  });
});

test("the corpus holds defects of every gate that reads a diff, and clean changes", () => {
  const gates = new Set(changeCases.flatMap((each) => each.expect.map(({ gate }) => gate)));
  expect([...gates].sort()).toEqual(["G02", "G03", "G04", "G05", "G06", "G07", "G08", "G09", "G14"]);
  expect(changeCases.filter((each) => each.expect.length === 0).length).toBeGreaterThan(10);
});
