import { describe, expect, test } from "vitest";
import { contractFiles, type Draft, direction, factsWith, lint, said } from "../testing/draft-specs.ts";

describe("fields that the project or the whole set decide", () => {
  const known = factsWith({
    directions: [direction],
    sizes: new Map([["docs/use.md", 300_000]]),
    sources: new Map([["inputs/d.md", "b".repeat(64)]]),
    policy: {
      review: { 0: "human" },
      budget: { tokens: 1000, usd: null, turns: 5 },
      network: ["pypi.org", "*.example.com"],
      skills: ["frontend-ui-ux"],
    },
    contractFiles,
  });
  const head = (more: string): Draft => ({ head: `direction: D-1\nrequires: [REQ-1, REQ-2]\nmodifies: [lib/a.ts]\n${more}` });
  test.each<[string, Draft, string[]]>([
    ["F07", head("reads: [lib/nope.ts]"), ["F07"]],
    ["F16", head("skills: [frontend-uiux]"), ["F16"]],
    ["F21", head("context: [docs/use.md]"), ["F21"]],
    ["F21 of a file that is not there", head("context: [docs/none.md]"), ["F21"]],
    ["F26", { head: "direction: D-1\nrequires: [REQ-1, REQ-2, REQ-9]\nmodifies: [lib/a.ts]" }, ["F26"]],
    ["F27 of an open question", head("questions: [Q-2]"), ["F27"]],
    ["F27 of an unknown question", head("questions: [Q-9]"), ["F27"]],
    ["F27 of an answered question", head("questions: [Q-1]"), []],
    ["F28", head("assumptions: [{text: we drop the table, reversible: false}]"), ["F28"]],
    ["F28 answered", head("questions: [Q-1]\nassumptions: [{text: we drop the table, reversible: false}]"), []],
    ["F29", head("priority: 0\nreview: none"), ["F29"]],
    ["F29 raised", head("priority: 1\nreview: human"), []],
    ["F32", head("budget: {tokens: 2000, turns: 5}"), ["F32"]],
    ["F33", head("network: [pypi.org, api.example.com, api.stripe.com]"), ["F33"]],
    ["F33 of everything", head("network: true"), ["F33"]],
    ["F35", head(`source: {file: inputs/d.md, sha256: ${"a".repeat(64)}}`), ["F35"]],
    ["F35 unchanged", head(`source: {file: inputs/d.md, sha256: ${"b".repeat(64)}}`), []],
  ])("%s", (_, draft, codes) => {
    expect(lint([draft], known).map(({ code }) => code)).toEqual(codes);
    const bare = lint([draft], { projects: [{ id: "demo", hasVerify: true, files: null, protectedPaths: [], tasks: [] }], executors: null });
    expect(bare.map(({ code }) => code)).toEqual(codes[0] === "F28" ? ["F28"] : []);
  });
});

describe("COV001", () => {
  const facts = factsWith({ directions: [direction] });
  const one: Draft = { head: "direction: D-1\nrequires: [REQ-1]\nmodifies: [lib/a.ts]" };
  test("names a requirement without a spec at its place in the direction", () => {
    expect(lint([one], facts).map(({ file, line, code }) => [file, line, code])).toEqual([["inputs/directions/D-1.md", 5, "requirement-uncovered"]]);
  });
  test("is content when each has one, and warns of a spec that serves none", () => {
    const two: Draft = { id: "S02-demo", head: "direction: D-1\nrequires: REQ-2\nmodifies: [lib/b.ts]" };
    const idle: Draft = { id: "S03-demo", head: "direction: D-1\nmodifies: [lib/c.ts]" };
    expect(lint([one, two], facts)).toEqual([]);
    expect(said([one, two, idle], "COV001", facts)).toEqual(["requirement-unserved warning"]);
  });
});

describe("identity and dependencies", () => {
  test("an id that was retired is not used again, nor waited for", () => {
    const facts = factsWith({ retired: ["S01-demo"] });
    expect(said([{}], "ID001", facts)).toEqual(["id-retired error"]);
    expect(said([{ id: "S02-demo", head: "depends_on: S01-demo\nmodifies: [lib/b.ts]" }], "DEP001", facts)).toEqual(["dependency-retired error"]);
  });
  test("a parked task may still be merged", () => {
    const tasks = [{ specId: "S09-x", state: "parked" as const, dependsOn: [], after: [], creates: [], deletes: [] }];
    expect(said([{ head: "depends_on: S09-x\nmodifies: [lib/a.ts]" }], "DEP001", factsWith({ tasks }))).toEqual(["dependency-parked warning"]);
  });
});
