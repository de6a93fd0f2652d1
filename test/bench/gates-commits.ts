import type { TaskSpec } from "@dispatch/core";
import type { Tree } from "../golden/changes/index.ts";
import { type Check, type Voice, voices } from "./gates-voices.ts";

/** A commit as a well-kept repository has it: nothing in it should stop it. */
export interface CleanCommit {
  shape: string;
  voice: Voice;
  /** The name of what it is about; its source and its tests are in the tree before. */
  name: string;
  spec: Partial<TaskSpec>;
  before: Tree;
  after: Tree;
}

/** What a commit of one language about one name is drawn from. */
interface Scene {
  voice: Voice;
  name: string;
  other: string;
  by: number;
  /** The tree that all commits start from. */
  base: Record<string, string>;
  functions: readonly string[];
  tests: readonly string[];
}

type Change = (scene: Scene) => { after: Record<string, string | undefined>; before?: Record<string, string>; spec?: Partial<TaskSpec> };

function checksOf(by: number, from: number, count: number): Check[] {
  return Array.from({ length: count }, (_, i) => ({ given: from + i * 3, gives: from + i * 3 + by }));
}

function sceneOf(voice: Voice, name: string, other: string, by: number): Scene {
  const functions = [voice.fn(name, by), voice.fn(other, by + 1), voice.fn(`${name}Twice`, by * 2)];
  const tests = [
    voice.test("adds its part", name, checksOf(by, 1, 3)),
    voice.test("adds one more", other, checksOf(by + 1, 2, 2)),
    voice.test("adds it twice", `${name}Twice`, checksOf(by * 2, 0, 2)),
  ];
  const base = {
    "README.md": "# Shop\n\nAmounts and their limits.\n",
    [voice.manifest]: voice.dependency("3.1.0"),
    [voice.lockfile]: "locked 3.1.0\n",
    [voice.source(name)]: voice.file(name, functions),
    [voice.testPath(name)]: voice.testFile(name, tests),
  };
  return { voice, name, other, by, base, functions, tests };
}

/** One's own file and its tests again, with other functions and tests. */
function rewritten({ voice, name }: Scene, functions: readonly string[], tests: readonly string[]): Record<string, string> {
  return { [voice.source(name)]: voice.file(name, functions), [voice.testPath(name)]: voice.testFile(name, tests) };
}

const code: Readonly<Record<string, Change>> = {
  "a function with its tests": (scene) => {
    const { voice, name, by, functions, tests } = scene;
    const extra = voice.test("adds thrice", `${name}Thrice`, checksOf(by * 3, 4, 2));
    return { after: rewritten(scene, [...functions, voice.fn(`${name}Thrice`, by * 3)], [...tests, extra]) };
  },
  "a new module": ({ voice, name, by }) => ({
    after: {
      [voice.source(`${name}Report`)]: voice.file(`${name}Report`, [voice.fn(`${name}Report`, by)]),
      [voice.testPath(`${name}Report`)]: voice.testFile(`${name}Report`, [voice.test("reports", `${name}Report`, checksOf(by, 1, 3))]),
    },
  }),
  "a bug mended, with what it should have given": (scene) => {
    const { voice, name, other, by, functions, tests } = scene;
    const mended = [voice.fn(name, by + 5), ...functions.slice(1)];
    return {
      after: rewritten(scene, mended, [
        voice.test("adds its part", name, checksOf(by + 5, 1, 3)),
        ...tests.slice(1),
        voice.test("keeps the limit", other, checksOf(by + 1, 90, 1)),
      ]),
    };
  },
  "a helper taken out": (scene) => ({ after: rewritten(scene, [scene.voice.split(scene.name, scene.by), ...scene.functions.slice(1)], scene.tests) }),
  "a function renamed everywhere": (scene) => {
    const { voice, name, by, functions, tests } = scene;
    return {
      after: rewritten(
        scene,
        [functions[0] ?? "", functions[1] ?? "", voice.fn(`${name}Doubled`, by * 2)],
        [...tests.slice(0, 2), voice.test("adds it doubled", `${name}Doubled`, checksOf(by * 2, 0, 2))],
      ),
    };
  },
  "functions and tests in another order": (scene) => ({ after: rewritten(scene, [...scene.functions].reverse(), [...scene.tests].reverse()) }),
  "a module moved with its tests": ({ voice, name, base }) => ({
    after: {
      [voice.source(name)]: undefined,
      [voice.testPath(name)]: undefined,
      [voice.source(`${name}Core`)]: base[voice.source(name)],
      [voice.testPath(`${name}Core`)]: base[voice.testPath(name)],
    },
  }),
  "a function removed with the tests that name it": (scene) => ({ after: rewritten(scene, scene.functions.slice(0, 2), scene.tests.slice(0, 2)) }),
  "a module that the spec removes": ({ voice, name }) => ({
    after: { [voice.source(name)]: undefined, [voice.testPath(name)]: undefined },
    spec: { deletes: [voice.source(name), voice.testPath(name)] },
  }),
  "code that only looks unfinished": (scene) => ({ after: rewritten(scene, [...scene.functions, scene.voice.lookalikes(scene.name)], scene.tests) }),
  "a check turned off for a reason": (scene) => ({ after: rewritten(scene, [...scene.functions, scene.voice.reasoned(scene.name)], scene.tests) }),
  "old marks re-indented and moved": (scene) => {
    const { voice, functions, tests } = scene;
    const mark = voice.comment("TODO(kim): measure this on slow disks");
    return { before: rewritten(scene, [mark, ...functions], tests), after: rewritten(scene, [...functions, mark], tests) };
  },
  "comments reworded": (scene) => {
    const { voice, name, functions, tests } = scene;
    const said = [
      `The TODO list of ${name} is shown by the client.`,
      "Inputs show a placeholder text until a value is typed.",
      "Tests are skipped by the runner, not here.",
      "Locales that are missing are not implemented by the vendor.",
    ];
    return { after: rewritten(scene, [...functions, said.map(voice.comment).join("\n")], tests) };
  },
};

const tests: Readonly<Record<string, Change>> = {
  "tests added alone": (scene) => ({
    after: rewritten(scene, scene.functions, [...scene.tests, scene.voice.test("stays below", scene.other, checksOf(scene.by + 1, 50, 3))]),
  }),
  "a test split in two": (scene) => {
    const { voice, name, by, functions, tests: all } = scene;
    const checks = checksOf(by, 1, 3);
    return {
      after: rewritten(scene, functions, [
        voice.test("adds to small ones", name, checks.slice(0, 1)),
        voice.test("adds to larger ones", name, checks.slice(1)),
        ...all.slice(1),
      ]),
    };
  },
  "tests made rows of a table": (scene) => {
    const { voice, name, by, functions, tests: all } = scene;
    const single = checksOf(by, 1, 3).map((check, i) => voice.test(`adds number ${["one", "two", "three"][i]}`, name, [check]));
    return {
      before: rewritten(scene, functions, [...single, ...all.slice(1)]),
      after: rewritten(scene, functions, [voice.table("adds numbers", name, checksOf(by, 1, 4)), ...all.slice(1)]),
    };
  },
  "a test that some machines leave out": (scene) => ({
    after: rewritten(scene, scene.functions, [...scene.tests, scene.voice.conditional("works with a clock", scene.name)]),
  }),
  "expected values that follow a new rule": (scene) => {
    const { voice, other, by, functions, tests: all } = scene;
    return {
      after: rewritten(
        scene,
        [functions[0] ?? "", voice.fn(other, by + 9), functions[2] ?? ""],
        [all[0] ?? "", voice.test("adds one more", other, checksOf(by + 9, 2, 2)), all[2] ?? ""],
      ),
    };
  },
  "stronger assertions": (scene) => ({
    after: rewritten(scene, scene.functions, [scene.voice.test("adds its part", scene.name, checksOf(scene.by, 1, 6)), ...scene.tests.slice(1)]),
  }),
  "a snapshot with its source": (scene) => ({
    before: { "ui/__snapshots__/total.test.ts.snap": "exports[`total 1`] = `\n<b>1</b>\n`;\n" },
    after: {
      ...rewritten(
        scene,
        [scene.voice.fn(scene.name, scene.by + 2), ...scene.functions.slice(1)],
        [scene.voice.test("adds its part", scene.name, checksOf(scene.by + 2, 1, 3)), ...scene.tests.slice(1)],
      ),
      "ui/__snapshots__/total.test.ts.snap": "exports[`total 1`] = `\n<strong>1</strong>\n`;\n",
    },
  }),
  "fixtures with values that look random": ({ name }) => ({
    after: {
      [`tests/fixtures/${name}.json`]: `{\n  "id": "6f1d2c5e-93a4-4b8e-9c1d-7a2b3c4d5e6f",\n  "sha256": "${"9f86d081884c7d65".repeat(4)}",\n  "token": "test-token-of-${name}",\n  "password": "not-a-real-password"\n}\n`,
    },
  }),
};

const surroundings: Readonly<Record<string, Change>> = {
  documentation: ({ name, base }) => ({
    after: {
      "README.md": `${base["README.md"]}\n## ${name}\n\nSet \`API_KEY\` in the environment; \`placeholder="…"\` is what a field shows. Merging with \`<<<<<<<\` markers is shown below.\n\n    pytest -k ${name}   # skip the slow ones with -m "not slow"\n`,
      "CHANGELOG.md": `- ${name}: the placeholder keeps its colour; \`it.skip\` is reported\n- Renames are not implemented by the importer of version 1\n`,
    },
  }),
  "a dependency with its lockfile": ({ voice }) => ({ after: { [voice.manifest]: voice.dependency("3.2.4"), [voice.lockfile]: "locked 3.2.4\n" } }),
  "texts of an interface": ({ name }) => ({
    after: {
      [`locales/en/${name}.json`]:
        '{\n  "search.placeholder": "Search posts",\n  "password.placeholder": "Your password",\n  "status.todo": "To do",\n  "token.expired": "Your token has expired"\n}\n',
      [`locales/zh/${name}.json`]: '{\n  "search.placeholder": "搜索文章",\n  "password.placeholder": "请输入密码",\n  "status.todo": "待办"\n}\n',
      [`web/${name}.html`]:
        '<form>\n  <input type="password" placeholder="Your password">\n  <!-- The placeholder shows while nothing is typed. -->\n</form>\n',
      [`web/${name}.css`]: "input::placeholder {\n  color: gray;\n}\n.todo-list:placeholder-shown {\n  opacity: 1;\n}\n",
    },
  }),
  "settings made stricter": () => ({
    before: {
      "vitest.config.ts": "export default {\n  test: { coverage: { thresholds: { lines: 80 } } },\n};\n",
      "tsconfig.json": '{\n  "compilerOptions": {\n    "noUnusedLocals": false\n  }\n}\n',
    },
    after: {
      "vitest.config.ts": "export default {\n  test: { coverage: { thresholds: { lines: 86 } } },\n};\n",
      "tsconfig.json": '{\n  "compilerOptions": {\n    "noUnusedLocals": true\n  }\n}\n',
    },
  }),
  "code that is generated, with its source": ({ name }) => ({
    after: {
      [`api/${name}.proto`]: 'syntax = "proto3";\n\nmessage Total {\n  int64 value = 1;\n}\n',
      [`api/${name}.pb.go`]: "// Code generated by protoc-gen-go. DO NOT EDIT.\n\npackage api\n",
    },
  }),
  "a picture that the spec names": ({ name }) => ({
    after: { [`docs/${name}.png`]: "\u0089PNG\r\n\0\0", "docs/amounts.md": `![${name}](${name}.png)\n` },
    spec: { creates: [`docs/${name}.png`], modifies: ["**"] },
  }),
  "names of settings that hold secrets": ({ voice, name }) => ({
    after: {
      "config/app.yml": `database_url: \${DATABASE_URL}\nclient_secret: env:CLIENT_SECRET\ntoken_url: https://login.example.org/oauth2/token\n`,
      ".env.example": "API_KEY=\nDATABASE_URL=postgres://postgres:postgres@localhost:5432/app\n",
      [voice.source(`${name}Auth`)]: voice.file(`${name}Auth`, [voice.secret("accessToken.storage.v2"), voice.fn(`${name}Auth`, 2)]),
    },
  }),
  "a new package with its own scripts": ({ name }) => ({
    after: {
      [`packages/${name}/package.json`]: `{\n  "name": "@shop/${name}",\n  "scripts": {\n    "test": "vitest run",\n    "build": "tsc -b"\n  }\n}\n`,
      [`packages/${name}/src/index.ts`]: `export const ${name} = 1;\n`,
    },
  }),
  "what git ignores, and line ends": ({ voice, name, base }) => ({
    after: { ".gitignore": "dist/\ncoverage/\n", [voice.source(name)]: (base[voice.source(name)] ?? "").replaceAll("\n", "\r\n") },
  }),
};

const names = [
  ["invoice", "refund", 3],
  ["shipping", "discount", 7],
] as const;

/** Every shape in every language, for each pair of names. */
export function cleanCommits(): CleanCommit[] {
  const shapes = Object.entries({ ...code, ...tests, ...surroundings });
  return voices.flatMap((voice) =>
    names.flatMap(([name, other, by]) => {
      const scene = sceneOf(voice, name, other, by);
      return shapes.map(([shape, change]): CleanCommit => {
        const { before = {}, after, spec = {} } = change(scene);
        const old = { ...scene.base, ...before };
        const changed = Object.entries({ ...old, ...after }).filter((entry): entry is [string, string] => entry[1] !== undefined);
        return { shape, voice, name, spec, before: old, after: Object.fromEntries(changed) };
      });
    }),
  );
}
