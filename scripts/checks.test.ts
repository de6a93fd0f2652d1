import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkLayers, importsOf } from "./check-layers.mjs";
import { checkPushes } from "./check-pushes.mjs";
import { checkWalk } from "./check-walk.mjs";
import { checkWords } from "./check-words.mjs";
import { missingOptional } from "./complete-lockfile.mjs";
import { closingLine, isGreen, slowestFiles, totalsOf } from "./test-totals.mjs";

let root = "";

function put(path: string, content: string | object): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
}

/** Two rooms as they should be: core, pure, and store, which may import it. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "dispatch-checks-"));
  put("layers.json", { core: { layer: 0, pure: true, imports: [] }, store: { layer: 2, pure: false, imports: ["core"] } });
  put("tsconfig.json", { files: [], references: [{ path: "packages/core" }, { path: "packages/store" }] });
  put("package-lock.json", { packages: { "": {}, "node_modules/@dispatch/core": { resolved: "packages/core", link: true } } });
  put("packages/core/package.json", { name: "@dispatch/core" });
  put("packages/core/tsconfig.json", { extends: "../../tsconfig.base.json", references: [] });
  put("packages/core/src/index.ts", 'export { planThing } from "./plan-thing.ts";\n');
  put("packages/core/src/plan-thing.ts", "export function planThing(now: number): number {\n  return now;\n}\n");
  put("packages/store/package.json", { name: "@dispatch/store", dependencies: { "@dispatch/core": "*", yaml: "2.9.1" } });
  put("packages/store/tsconfig.json", {
    extends: "../../tsconfig.base.json",
    compilerOptions: { types: ["node"] },
    references: [{ path: "../core" }],
  });
  put("packages/store/src/index.ts", 'import { planThing } from "@dispatch/core";\nexport const kept = planThing(1);\n');
  put("docs/architecture.md", "Then `planThing()` decides.\n");
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

test("a tree that keeps the rules has no problems", () => {
  expect([...checkLayers(root), ...checkWalk(root), ...checkWords(root)]).toEqual([]);
});

describe("layers", () => {
  const planted: readonly [string, string, string | object][] = [
    ["an import of a room that is not in the row", "packages/core/src/plan-thing.ts", 'import { kept } from "@dispatch/store";\n'],
    ["a dynamic import of such a room", "packages/core/src/plan-thing.ts", 'const store = await import("@dispatch/store");\n'],
    ["a type import of such a room", "packages/core/src/plan-thing.ts", 'import type { Kept } from "@dispatch/store/kept";\n'],
    ["a relative import out of the room", "packages/store/src/keep.ts", 'export { planThing } from "../../core/src/plan-thing.ts";\n'],
    ["node in a pure room", "packages/core/src/plan-thing.ts", 'import { readFileSync } from "fs";\n'],
    ["a dependency that is not in the row", "packages/core/package.json", { name: "@dispatch/core", dependencies: { "@dispatch/store": "*" } }],
    ["a missing reference", "packages/store/tsconfig.json", { extends: "../../tsconfig.base.json", references: [] }],
    ["node types in a pure room", "packages/core/tsconfig.json", { extends: "../../tsconfig.base.json", compilerOptions: { types: ["node"] } }],
    ["a room without a row", "packages/extra/package.json", { name: "@dispatch/extra" }],
    ["an arrow to a later row", "layers.json", { core: { layer: 0, imports: ["store"] }, store: { layer: 2, imports: [] } }],
  ];
  for (const [name, path, content] of planted) {
    test(`${name} is told`, () => {
      put(path, content);
      if (name === "a room without a row") put("packages/extra/tsconfig.json", {});
      expect(checkLayers(root)).not.toEqual([]);
    });
  }

  test("imports are found in every form, with their lines", () => {
    const text =
      'import a from "a";\nimport {\n  b,\n} from "b";\nexport * from \'c\';\nconst d = require("d");\nimport "e";\nconst s = `from the "f" of`;\n';
    expect(importsOf(text).map(({ specifier, line }) => `${specifier}:${line}`)).toEqual(["a:1", "b:4", "c:5", "d:6", "e:7"]);
  });
});

describe("words", () => {
  const mark = ["TO", "DO"].join("");
  const mock = ["vi", "mock"].join(".");
  const planted: readonly [string, string, string][] = [
    ["the clock in a pure room", "packages/core/src/plan-thing.ts", "export const at = Date.now();\n"],
    ["chance in a pure room", "packages/core/src/plan-thing.ts", "export const die = Math.random();\n"],
    ["the environment outside the doors", "packages/store/src/index.ts", "export const home = process.env.HOME;\n"],
    ["an open end", "packages/store/src/index.ts", `// ${mark}: later\n`],
    ["a mocked module", "packages/store/src/index.test.ts", `${mock}("./x.ts");\n`],
    ["a skipped test", "packages/store/src/index.test.ts", `${["test", "skip"].join(".")}("x", () => {});\n`],
  ];
  for (const [name, path, content] of planted) {
    test(`${name} is told with its line`, () => {
      put(path, `\n${content}`);
      expect(checkWords(root)).toEqual([expect.stringContaining(`${path}:2:`)]);
    });
  }

  test("a registry host in the lockfile is told", () => {
    put("package-lock.json", { packages: { "node_modules/yaml": { resolved: "https://registry.example/yaml.tgz" } } });
    expect(checkWords(root)).toHaveLength(1);
  });
});

describe("pushes", () => {
  const push = (words: string) => `const args = ["push", ${words}"--", url, refspec];\n`;
  test("one that moves a branch forward, from where it may, is right", () => {
    put("packages/store/package.json", { name: "@dispatch/store" });
    put("packages/git/package.json", { name: "@dispatch/git" });
    put("packages/git/src/push-commit.ts", push('"--progress", '));
    put("packages/store/src/index.ts", 'export const kind = z.enum(["push", "pull-request"]);\nlist.push(1);\n');
    expect(checkPushes(root)).toEqual([]);
  });

  test.each([
    '"--force", ',
    '"--force-with-lease=main:1", ',
    '"-f", ',
    '"-qf", ',
    '"--mirror", ',
    '"--delete", ',
    ["`+$", "{main}:$", "{ref}`, "].join(""),
    '"+refs/heads/main", ',
  ])("one with %s is told with its line", (words) => {
    put("packages/git/package.json", { name: "@dispatch/git" });
    put("packages/git/src/push-commit.ts", `\n${push(words)}`);
    expect(checkPushes(root)).toEqual([expect.stringContaining("packages/git/src/push-commit.ts:2:")]);
  });

  test.each([push(""), "const command = 'git -C there push origin main';\n"])("one from another place is told: %s", (content) => {
    put("packages/store/src/index.ts", `\n${content}`);
    expect(checkPushes(root)).toEqual([expect.stringContaining("packages/store/src/index.ts:2:")]);
  });

  test("none of the project pushes with force", () => {
    expect(checkPushes(resolve(import.meta.dirname, ".."))).toEqual([]);
  });
});

describe("lockfile", () => {
  const packages = {
    "": {},
    "node_modules/turbo": { version: "2.1.0", dev: true, optionalDependencies: { "@turbo/linux-64": "2.1.0", "@turbo/darwin-arm64": "2.1.0" } },
    "node_modules/@turbo/linux-64": { version: "2.1.0" },
  };

  test("an optional package of another platform that is missing is told", () => {
    put("package-lock.json", { packages });
    expect(checkWords(root)).toHaveLength(1);
  });

  test("what is missing is added with the pinned version and the platform of its name", () => {
    expect(missingOptional(packages)).toEqual([
      { place: "node_modules/@turbo/darwin-arm64", entry: { version: "2.1.0", cpu: ["arm64"], dev: true, optional: true, os: ["darwin"] } },
    ]);
  });

  test("a package that asks for another version than the top folder holds gets its own", () => {
    const nested = { ...packages, "node_modules/a/node_modules/turbo": { version: "2.2.0", optionalDependencies: { "@turbo/linux-64": "2.2.0" } } };
    expect(missingOptional(nested).map(({ place }) => place)).toContain("node_modules/a/node_modules/turbo/node_modules/@turbo/linux-64");
  });
});

describe("walk", () => {
  test("a function that no room exports is told with its line", () => {
    put("docs/architecture.md", "`planThing()`\nthen `landThing()`\n");
    expect(checkWalk(root)).toEqual([expect.stringContaining("docs/architecture.md:2:")]);
  });

  test("a walk that names nothing is told", () => {
    put("docs/architecture.md", "no walk\n");
    expect(checkWalk(root)).toHaveLength(1);
  });
});

describe("closing line", () => {
  const file = { status: "passed", assertionResults: [{}] };
  const report = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [file] };

  test("a green report is closed with its count", () => {
    expect(closingLine(totalsOf(report), [])).toBe("3 passed, 0 failed");
    expect(isGreen(totalsOf(report))).toBe(true);
  });

  test("a file that could not be loaded is a failure", () => {
    const totals = totalsOf({ ...report, testResults: [file, { status: "failed", assertionResults: [] }] });
    expect(closingLine(totals, [])).toBe("3 passed, 1 failed");
    expect(isGreen(totals)).toBe(false);
  });

  test("a skipped test is named and is not green", () => {
    const totals = totalsOf({ ...report, numPendingTests: 1 });
    expect(closingLine(totals, [])).toBe("3 passed, 0 failed, 1 skipped");
    expect(isGreen(totals)).toBe(false);
  });

  test("a red step is a failure although every test passed", () => {
    expect(closingLine(totalsOf(report), ["biome"])).toBe("3 passed, 1 failed");
  });

  test("a run without tests is not green", () => {
    expect(isGreen(totalsOf({ ...report, numPassedTests: 0 }))).toBe(false);
  });

  test("names the files that took longest", () => {
    const testResults = [
      { name: "quick", startTime: 1000, endTime: 1500 },
      { name: "slow", startTime: 1000, endTime: 61_000 },
      { name: "slower", startTime: 500, endTime: 61_000 },
    ];
    expect(slowestFiles({ testResults }, 2)).toEqual([
      { path: "slower", seconds: 60.5 },
      { path: "slow", seconds: 60 },
    ]);
  });
});
