import { coversAny } from "@dispatch/core";
import { parseSpec } from "@dispatch/spec";
import { describe, expect, it } from "vitest";
import { anOid } from "../../../../test/kit/build-facts.ts";
import { revertedBy } from "../config/revert-executor.ts";
import { revertId, revertSpec } from "./revert-spec.ts";

describe("the id of a revert", () => {
  it("counts on from the newest revert and names the oldest spec", () => {
    const tasks = ["shop/S07-x", "shop/R02-revert-s01-a", "shop/R10", "shop/Rx9-other"].map((id) => ({ id }));
    expect(revertId(["S01-a"], [])).toBe("R01-revert-s01-a");
    expect(revertId(["S03-Later", "S02-b", "S01-first"], tasks)).toBe("R11-revert-s01-first-and-2-more");
  });

  it("is a spec id however long the spec's is", () => {
    expect(revertId([`S01-${"a-".repeat(40)}b`], [])).toMatch(/^R01-revert-s01(-a)+$/);
  });
});

describe("the spec of a revert", () => {
  const paths = ["src/a.ts", "src/[id].tsx", "gone.txt", "src/a b.ts"];
  const merges = [
    { commit: anOid(2), specId: "S02-b", attempt: "shop--S02-b--1", paths: paths.slice(0, 2) },
    { commit: anOid(1), specId: "S01-a", attempt: "shop--S01-a--1", paths: paths.slice(0, 1).concat(paths.slice(2)) },
  ];
  const there = new Set(["src/a.ts", "src/[id].tsx", "src/a b.ts"]);
  const text = revertSpec({ id: "R01-revert-s01-a-and-1-more", project: "shop", landing: anOid(3), merges, there });
  const parsed = parseSpec({ text, file: "specs/shop/R01-revert-s01-a-and-1-more.md" });

  it("reads without a problem, locks exactly what the merges changed, and takes them back newest first", () => {
    if (parsed.outcome !== "parsed") throw new Error("it cannot be read");
    const { spec, problems } = parsed;
    expect(problems).toEqual([]);
    expect(spec).toMatchObject({ type: "chore", priority: 0, attempts: 1, executor: "revert", verify: [], creates: ["gone.txt"] });
    expect(spec.modifies).toHaveLength(3);
    for (const path of there) expect(coversAny(spec.modifies, path), path).toBe(true);
    expect(coversAny(spec.modifies, "src/i.tsx")).toBe(false);
    expect(revertedBy(spec)).toEqual([anOid(2), anOid(1)]);
  });
});
