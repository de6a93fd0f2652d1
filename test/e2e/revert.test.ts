import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ErrorView, RevertView, StatusView } from "@dispatch/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addFunction, library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { until } from "./kit/until.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ slots: 2 });
});
afterAll(() => scene.end());

const hub = (project: string): string => join(scene.factory, ".dispatch/hub", `${project}.git`);
const treeOf = (project: string): Promise<string> => scene.git(hub(project), "rev-parse", "main^{tree}");
const functionPaths = (name: string): string[] => [`src/${name}.js`, `test/${name}.test.js`];

async function makeProject(project: string, command = verify): Promise<void> {
  const source = await scene.repository(`${project}-source`, library);
  const origin = join(scene.root, `${project}.git`);
  await scene.git(scene.root, "clone", "-q", "--bare", source, origin);
  await scene.must("project", "add", project, "--repo", origin, "--verify", command, "--executor", "by-file");
}

async function work(project: string, id: string, paths: { modifies?: string[]; creates?: string[] }, script: string): Promise<void> {
  scene.spec({ id, project, ...paths });
  scene.answer(id, script);
  await scene.must("start", project);
  await scene.untilTask(`${project}/${id}`, "merged");
}

async function refused(...args: string[]): Promise<ErrorView["error"]> {
  const { code, value } = await scene.json<ErrorView>("revert", ...args);
  expect(code).not.toBe(0);
  return value.error;
}

async function projectRow(project: string): Promise<StatusView["projects"][number] | undefined> {
  return (await scene.status()).projects.find(({ id }) => id === project);
}

test("what landed is taken back, once, and brought back by taking the revert back", async () => {
  await makeProject("words");
  await work("words", "S01-shout", { creates: functionPaths("shout") }, addFunction("shout", "return text.toUpperCase();"));
  const before = await treeOf("words");
  await work(
    "words",
    "S02-slug",
    { modifies: ["README.md"], creates: functionPaths("trim") },
    `echo more >> README.md; ${addFunction("trim", "return text.trim();")}`,
  );
  const withBoth = await treeOf("words");

  const dry = await scene.must<RevertView>("revert", "S02", "--dry-run");
  expect(dry).toMatchObject({ task: "words/R01-revert-s02-slug", planned: false, reverts: [{ specId: "S02-slug" }] });
  expect((await scene.status()).tasks.map(({ id }) => id)).not.toContain(dry.task);

  const { task } = await scene.must<RevertView>("revert", "words/S02-slug");
  expect((await refused("S02")).code).toBe("NOT_ALLOWED");
  await scene.untilTask(task, "merged");
  expect(await treeOf("words")).toBe(before);
  expect((await scene.task(task)).attempts).toMatchObject([{ executor: "revert" }]);
  const again = await refused("S02");
  expect([again.code, again.message]).toEqual(["NOT_ALLOWED", expect.stringContaining(task)]);

  const landing = await scene.git(hub("words"), "rev-parse", "--short", "main");
  const back = await scene.must<RevertView>("revert", `words/${landing}`);
  await scene.untilTask(back.task, "merged");
  expect(await treeOf("words")).toBe(withBoth);
});

test("what cannot be taken back is refused with what to do instead", async () => {
  const main = await scene.git(hub("words"), "rev-list", "--first-parent", "main");
  const first = main.split("\n").at(-1) ?? "";
  expect(await refused(`words/${first}`)).toMatchObject({ code: "NOT_ALLOWED", hint: expect.stringContaining("origin") });
  expect((await refused("words/0000000")).code).toBe("NOT_FOUND");
  expect((await refused("S99")).code).toBe("NOT_FOUND");
});

test("a revert that meets what was built on it leaves main alone and parks", async () => {
  await makeProject("grown");
  await work("grown", "S01-shout", { creates: functionPaths("shout") }, addFunction("shout", "return text.toUpperCase();"));
  await work("grown", "S02-louder", { modifies: functionPaths("shout") }, addFunction("shout", 'return text.toUpperCase() + "!";'));
  const before = await treeOf("grown");
  const { task } = await scene.must<RevertView>("revert", "grown/S01-shout");
  await scene.untilTask(task, "parked");
  const { state } = (await scene.task(task)).task;
  expect(state).toMatchObject({ kind: "parked", because: { findings: expect.arrayContaining([expect.objectContaining({ gate: "agent" })]) } });
  expect((await scene.must<{ text: string }>("logs", task)).text).toContain("shout.js");
  expect(await treeOf("grown")).toBe(before);
});

test("main that is red once it was published freezes landing, tells, and lets the lead go on", async () => {
  const wrong = join(scene.root, "the-day-is-wrong");
  await makeProject("daily", `test ! -e ${wrong} && ${verify}`);
  await work("daily", "S01-shout", { creates: functionPaths("shout") }, addFunction("shout", "return text.toUpperCase();"));
  const published = await scene.must<{ last: { commit: string } }>("collect", "daily");
  await until("the watch is green", async () => {
    const collect = (await projectRow("daily"))?.collect;
    return collect?.kind === "idle" && collect.last?.outcome === "published" && collect.last.watched === "green" ? true : undefined;
  });

  writeFileSync(wrong, "");
  await scene.must("collect", "daily");
  const landing = await until("landing is frozen", async () => {
    const row = await projectRow("daily");
    return row?.landing.kind === "frozen" ? row.landing : undefined;
  });
  expect(landing.because).toContain(published.last.commit.slice(0, 12));
  expect(landing.because).toContain("the car that landed it was green");
  expect((await scene.must<{ waiting: { code: string }[] }>("report", "daily")).waiting).toMatchObject([{ code: "landing-frozen" }]);
  expect((await scene.dispatch("status", "daily")).stdout).toContain("red there");

  rmSync(wrong);
  const { task, next } = await scene.must<RevertView>("revert", `daily/${published.last.commit.slice(0, 10)}`);
  expect(next).toContain("dispatch resume daily");
  await scene.untilTask(task, "queued");
  await scene.must("resume", "daily");
  await scene.untilTask(task, "merged");
});
