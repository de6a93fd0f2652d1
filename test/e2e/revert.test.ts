import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ErrorView, RevertView, StatusView } from "@dispatch/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { declareProject } from "./kit/declare-project.ts";
import { addFunction, library, verify } from "./kit/library.ts";
import { post } from "./kit/post.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { until } from "./kit/until.ts";

let scene: Scene;
let wrong: string;
beforeAll(async () => {
  scene = await openScene({ slots: 2 });
  wrong = join(scene.root, "the-day-is-wrong");
  const source = await scene.repository("words-source", library);
  const origin = join(scene.root, "words.git");
  await scene.git(scene.root, "clone", "-q", "--bare", source, origin);
  await declareProject(scene, "words", { repo: origin, verify: `test ! -e ${wrong} && ${verify}` });
  await scene.must("start", "words");
});
afterAll(() => scene.end());

const hub = (): string => join(scene.factory, ".dispatch/hub/words.git");
const tree = (): Promise<string> => scene.git(hub(), "rev-parse", "main^{tree}");
const functionPaths = (name: string): string[] => [`src/${name}.js`, `test/${name}.test.js`];

async function work(id: string, paths: { modifies?: string[]; creates?: string[] }, script: string): Promise<void> {
  scene.spec({ id, project: "words", ...paths });
  scene.answer(id, script);
  await post(scene, "projects/words/start");
  await scene.untilTask(`words/${id}`, "merged");
}

async function refused(...args: string[]): Promise<ErrorView["error"]> {
  const { code, value } = await scene.json<ErrorView>("revert", ...args);
  expect(code).not.toBe(0);
  return value.error;
}

async function projectRow(): Promise<StatusView["projects"][number] | undefined> {
  return (await scene.status()).projects.find(({ id }) => id === "words");
}

let withBoth: string;

test("what landed is taken back, once", async () => {
  await work("S01-shout", { creates: functionPaths("shout") }, addFunction("shout", "return text.toUpperCase();"));
  const before = await tree();
  await work(
    "S02-slug",
    { modifies: ["README.md"], creates: functionPaths("trim") },
    `echo more >> README.md; ${addFunction("trim", "return text.trim();")}`,
  );
  withBoth = await tree();

  const dry = await scene.must<RevertView>("revert", "S02", "--dry-run");
  expect(dry).toMatchObject({ task: "words/R01-revert-s02-slug", planned: false, reverts: [{ specId: "S02-slug" }] });
  expect((await scene.status()).tasks.map(({ id }) => id)).not.toContain(dry.task);

  const { task } = await scene.must<RevertView>("revert", "words/S02-slug");
  expect((await refused("S02")).code).toBe("NOT_ALLOWED");
  await scene.untilTask(task, "merged");
  expect(await tree()).toBe(before);
  expect((await scene.task(task)).attempts).toMatchObject([{ executor: "revert" }]);
  const again = await refused("S02");
  expect([again.code, again.message]).toEqual(["NOT_ALLOWED", expect.stringContaining(task)]);
});

test("what cannot be taken back is refused with what to do instead", async () => {
  const main = await scene.git(hub(), "rev-list", "--first-parent", "main");
  const first = main.split("\n").at(-1) ?? "";
  expect(await refused(`words/${first}`)).toMatchObject({ code: "NOT_ALLOWED", hint: expect.stringContaining("origin") });
  expect((await refused("words/0000000")).code).toBe("NOT_FOUND");
  expect((await refused("S99")).code).toBe("NOT_FOUND");
});

test("main that is red once it was published freezes landing, tells, and lets the lead go on: taking the revert back brings back what it took", async () => {
  const published = await scene.must<{ last: { commit: string } }>("collect", "words");
  await until("the watch is green", async () => {
    const collect = (await projectRow())?.collect;
    return collect?.kind === "idle" && collect.last?.outcome === "published" && collect.last.watched === "green" ? true : undefined;
  });

  writeFileSync(wrong, "");
  await scene.must("collect", "words");
  const landing = await until("landing is frozen", async () => {
    const row = await projectRow();
    return row?.landing.kind === "frozen" ? row.landing : undefined;
  });
  expect(landing.because).toContain(published.last.commit.slice(0, 12));
  expect(landing.because).toContain("the car that landed it was green");
  expect((await scene.must<{ waiting: { code: string }[] }>("report", "words")).waiting).toMatchObject([{ code: "landing-frozen" }]);
  expect((await scene.dispatch("status", "words")).stdout).toContain("red there");

  rmSync(wrong);
  const { task, next } = await scene.must<RevertView>("revert", `words/${published.last.commit.slice(0, 10)}`);
  expect(next).toContain("dispatch resume words");
  await scene.untilTask(task, "queued");
  await scene.must("resume", "words");
  await scene.untilTask(task, "merged");
  expect(await tree()).toBe(withBoth);
});

test("a revert that meets what was built on it leaves main alone and parks", async () => {
  await work("S03-louder", { modifies: functionPaths("shout") }, addFunction("shout", 'return text.toUpperCase() + "!";'));
  const before = await tree();
  const { task } = await scene.must<RevertView>("revert", "words/S01-shout");
  await scene.untilTask(task, "parked");
  const { state } = (await scene.task(task)).task;
  expect(state).toMatchObject({ kind: "parked", because: { findings: expect.arrayContaining([expect.objectContaining({ gate: "agent" })]) } });
  expect((await scene.must<{ text: string }>("logs", task)).text).toContain("shout.js");
  expect(await tree()).toBe(before);
});
