import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addFunction, library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { until } from "./kit/until.ts";

let scene: Scene;
const project = "words";
const run = "ls src > index.txt";
const tests = `import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

test("the index names every file", () => assert.equal(readFileSync("index.txt", "utf8"), readdirSync("src").sort().map((name) => \`\${name}\\n\`).join("")));
`;

beforeAll(async () => {
  scene = await openScene({ slots: 2 });
  const repo = await scene.repository(project, { ...library, "index.txt": "index.js\nslug.js\n", "test/index.test.js": tests });
  await scene.must("project", "add", project, "--repo", repo, "--verify", verify, "--executor", "by-file");
  scene.configure(["projects", project, "paths"], { generated: [{ paths: ["index.txt"], run }] });
});
afterAll(() => scene.end());

test("two tasks that change one generated file work at once and both land, with that file made again for both", async () => {
  for (const [id, name] of [
    ["S01-one", "one"],
    ["S02-two", "two"],
  ] as const) {
    scene.spec({ id, project, creates: [`src/${name}.js`, `test/${name}.test.js`] });
    scene.answer(id, `hold ${name}\n${addFunction(name, "return text;")}\n${run}`);
  }
  await scene.must("start", project);
  await until("both are at work", () => scene.reached("one") && scene.reached("two"));
  for (const name of ["one", "two"]) scene.release(name);
  for (const id of ["S01-one", "S02-two"]) await scene.untilTask(`${project}/${id}`, "merged");
  const repo = join(scene.root, project);
  await scene.must("collect", project);
  expect(await scene.git(repo, "show", "main:index.txt")).toBe("index.js\none.js\nslug.js\ntwo.js");
  for (const id of ["S01-one", "S02-two"]) expect((await scene.task(`${project}/${id}`)).attempts).toHaveLength(1);
  expect(await scene.must<{ whole: boolean }>("audit")).toMatchObject({ whole: true });
});
