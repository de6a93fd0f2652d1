import { defaultGatePolicy } from "@dispatch/core";
import { describe, expect, test } from "vitest";
import { aSpec } from "../../../test/golden/changes/index.ts";
import type { Change } from "./change.ts";
import { judgeScope } from "./judge-scope.ts";
import { symlinkEscape } from "./symlink-escape.ts";

function aChange(path: string, kind: Change["kind"] = "modified"): Change {
  const modes = { oldMode: kind === "added" ? "000000" : "100644", newMode: kind === "deleted" ? "000000" : "100644" };
  return {
    path,
    kind,
    ...modes,
    oldOid: "1",
    newOid: "2",
    binary: false,
    bytes: { before: 0, after: 0 },
    addedLines: [],
    removedLines: [],
    hunks: [],
  };
}

const none = { modifies: [], creates: [], deletes: [] };

describe("who may do what to a path", () => {
  test.each<[string, Change["kind"], Parameters<typeof aSpec>[0], boolean]>([
    ["an exact entry is changed", "modified", { ...none, modifies: ["src/a.ts"] }, true],
    ["a folder entry covers what is below", "modified", { ...none, modifies: ["src"] }, true],
    ["a created path may be changed", "modified", { ...none, creates: ["src/a.ts"] }, true],
    ["a path to delete may not be changed", "modified", { ...none, deletes: ["src/a.ts"] }, false],
    ["creating needs creates", "added", { ...none, creates: ["src/a.ts"] }, true],
    ["or a folder in modifies", "added", { ...none, modifies: ["src/"] }, true],
    ["or a glob in modifies", "added", { ...none, modifies: ["src/*.ts"] }, true],
    ["deletes does not allow creating", "added", { ...none, deletes: ["src/**"] }, false],
    ["deleting needs deletes", "deleted", { ...none, deletes: ["src/a.ts"] }, true],
    ["or modifies", "deleted", { ...none, modifies: ["src/**"] }, true],
    ["creates does not allow deleting", "deleted", { ...none, creates: ["src/a.ts"] }, false],
    ["a mode needs modifies", "mode-changed", { ...none, deletes: ["src/a.ts"] }, false],
    ["a sibling with the same beginning is another path", "modified", { ...none, modifies: ["src/a"] }, false],
    ["nothing is owned", "modified", none, false],
    ["forbids wins", "modified", { ...none, modifies: ["src/**"], forbids: ["src/a.*"] }, false],
  ])("%s", (_, kind, spec, allowed) => {
    const findings = judgeScope({
      spec: aSpec(spec),
      changes: [aChange("src/a.ts", kind)],
      texts: new Map(),
      verify: null,
      policy: defaultGatePolicy,
    });
    expect(findings.map(({ gate, path }) => [gate, path])).toEqual(allowed ? [] : [["G03", "src/a.ts"]]);
  });

  test("the policy may allow a path to all, but not what a spec forbids", () => {
    const policy = { ...defaultGatePolicy, alwaysAllowed: ["CHANGELOG.md"] };
    const changes = [aChange("CHANGELOG.md")];
    expect(judgeScope({ spec: aSpec(none), changes, texts: new Map(), verify: null, policy })).toEqual([]);
    expect(judgeScope({ spec: aSpec({ ...none, forbids: ["*.md"] }), changes, texts: new Map(), verify: null, policy })).toHaveLength(1);
  });

  test("the finding names what is allowed and which entry is nearest", () => {
    const spec = aSpec({ ...none, modifies: ["docs/guide.md", "src/posts/store.ts"], creates: ["src/router.ts"] });
    const [finding] = judgeScope({
      spec,
      changes: [aChange("src/posts/stores.ts", "added")],
      texts: new Map(),
      verify: null,
      policy: defaultGatePolicy,
    });
    expect(finding?.found).toContain("docs/guide.md, src/posts/store.ts");
    expect(finding?.found.endsWith("src/posts/store.ts")).toBe(true);
  });
});

test.each<[string, string, boolean]>([
  ["link", "a.ts", false],
  ["a/b/link", "../../a.ts", false],
  ["a/b/link", "./../b/./c", false],
  ["a/b/link", "../../../a.ts", true],
  ["link", "..", true],
  ["link", "/etc", true],
  ["link", "C:\\x", true],
  ["a/link", "b/../c", true],
  ["link", ".git/hooks", true],
  ["a/link", "../.GIT", true],
  ["link", ".github/x", false],
])("a link at %s to %s leaves the repository: %s", (path, target, leaves) => {
  expect(symlinkEscape(path, target) !== undefined).toBe(leaves);
});
