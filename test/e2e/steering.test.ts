import { join } from "node:path";
import { type ErrorView, type FeedView, factoryPaths, type StatusView, type TaskView, type WhyView } from "@dispatch/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { declareProject } from "./kit/declare-project.ts";
import { addFunction, library, verify } from "./kit/library.ts";
import { post } from "./kit/post.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { until } from "./kit/until.ts";
import type { SpecInput } from "./kit/write-spec.ts";

let scene: Scene;
let project: string;
let n = 0;

async function makeProject(...options: string[]): Promise<void> {
  n += 1;
  project = `words${n}`;
  const repo = await scene.repository(project, library);
  await scene.must("project", "add", project, "--repo", repo, "--verify", verify, "--executor", "by-stdin", ...options);
}

/** The same, written into the file. */
async function declareNext(): Promise<void> {
  n += 1;
  project = `words${n}`;
  await declareProject(scene, project, { executor: "by-stdin" });
}

const id = (spec: string): string => `${project}/${spec}`;
/** A spec that adds one function; its answer is given apart. */
const adds = (spec: string, name: string, more: Partial<SpecInput> = {}): SpecInput => ({
  id: spec,
  project,
  creates: [`src/${name}.js`, `test/${name}.test.js`],
  ...more,
});
const start = () => post<FeedView>(scene, `projects/${project}/start`);
const failure = (...args: string[]) => scene.json<ErrorView>(...args);
const lastSeq = async (): Promise<number> => (await scene.status()).lastSeq;
const good = (name: string): string => addFunction(name, "return text;");

beforeAll(async () => {
  scene = await openScene({ slots: 1 });
});
afterAll(() => scene.end());

test("with one slot, tasks are placed by priority, then by how much waits for them; paused, the project places nothing new and lets run what runs", async () => {
  await makeProject();
  scene.spec(adds("S01-leaf", "leaf", { priority: 2 }));
  scene.spec(adds("S02-root", "root", { priority: 2 }));
  scene.spec(adds("S03-child", "child", { priority: 3, dependsOn: ["S02-root"] }));
  scene.spec(adds("S04-first", "first", { priority: 1 }));
  for (const name of ["S02-root", "S03-child"]) scene.answer(name, good(name.slice(4)));
  for (const name of ["S01-leaf", "S04-first"]) scene.answer(name, `hold ${project}-${name}\n${good(name.slice(4))}`);
  await scene.must<FeedView>("start", project);
  await until("the agent is at work", () => scene.reached(`${project}-S04-first`));
  const why = await scene.must<WhyView>("why", id("S02-root"));
  expect(why).toMatchObject({ state: "planned", explanation: { kind: expect.any(String) } });
  await scene.must("pause", project);
  scene.release(`${project}-S04-first`);
  await scene.untilTask(id("S04-first"), "merged");
  const paused = await scene.status();
  expect(paused.projects.find((row) => row.id === project)?.placing).toMatchObject({ kind: "paused" });
  for (const name of ["S01-leaf", "S02-root"]) {
    expect(paused.tasks.find((row) => row.id === id(name))).toMatchObject({ state: "planned", attempt: 0 });
  }
  await scene.must("resume", project);
  await scene.untilTask(id("S02-root"), "merged");
  await until("the third agent is at work", () => scene.reached(`${project}-S01-leaf`));
  expect((await scene.task(id("S03-child"))).attempts).toEqual([]);
  await post(scene, `tasks/${id("S03-child")}/cancel`);
  scene.release(`${project}-S01-leaf`);
  await scene.untilTask(id("S01-leaf"), "merged");
  const shown = await Promise.all(["S01-leaf", "S02-root", "S04-first"].map((name) => scene.task(id(name))));
  const order = shown.sort((a, b) => (a.attempts[0]?.placedAt ?? 0) - (b.attempts[0]?.placedAt ?? 0)).map((view) => view.task.spec.id);
  expect(order).toEqual(["S04-first", "S02-root", "S01-leaf"]);
});

describe("with three slots, landing continuously", () => {
  const second = (goal?: string): SpecInput => ({
    id: "S02-b",
    project,
    modifies: ["src/*.js"],
    priority: 2,
    ...(goal === undefined ? {} : { goal }),
  });
  const first = (): SpecInput => ({ id: "S01-a", project, modifies: ["src/index.js", "README.md", "package.json"], priority: 1 });

  beforeAll(async () => {
    scene.write(factoryPaths.nodes, JSON.stringify({ nodes: [{ name: "local", transport: "local", slots: 3 }] }));
    await until("there are three slots", async () => (await scene.status()).nodes.some(({ slots }) => slots === 3));
    await declareNext();
    const appends = (word: string): string => `hold ${project}-${word}\nprintf 'export const ${word} = "${word}";\\n' >> src/index.js`;
    scene.spec(first());
    scene.spec(second());
    scene.spec(adds("S03-c", "c", { creates: ["lib/c.js", "test/c.test.js"] }));
    scene.spec(adds("S04-waits", "waits", { dependsOn: ["S03-c"] }));
    scene.answer("S01-a", appends("a"));
    scene.answer("S02-b", appends("b"));
    const late = good("c").replaceAll("src/c.js", "lib/c.js");
    scene.answer("S03-c", `mkdir lib\necho 'export const half = 1;' > lib/c.js\nhold ${project}-c\n${late}`);
    scene.answer("S04-waits", good("waits"));
    await start();
    await until("both agents are at work", () => scene.reached(`${project}-a`) && scene.reached(`${project}-c`));
  });

  test("a task whose file another one changes waits for it, and a third runs beside them", async () => {
    const held = await scene.status();
    expect(held.tasks.find((row) => row.id === id("S02-b"))).toMatchObject({ state: "planned", display: "locked" });
    const why = await scene.must<WhyView>("why", id("S02-b"));
    expect(JSON.stringify(why.explanation)).toContain(id("S01-a"));
  });

  test("the same specs again change nothing; one that has not run yet takes its new text, one that runs does not", async () => {
    const before = await lastSeq();
    const again = await scene.must<FeedView>("feed", project);
    expect(again).toMatchObject({ planned: [], revised: [], moved: [] });
    expect([...again.unchanged].sort()).toEqual(["S01-a", "S02-b", "S03-c", "S04-waits"].map(id));
    expect(await lastSeq()).toBe(before);

    scene.spec(second("Write what is newly wanted into src/*.js."), `specs/${project}`);
    expect(await scene.must<FeedView>("feed", project)).toMatchObject({ revised: [id("S02-b")] });

    scene.spec({ ...first(), goal: "Something else for src/index.js, README.md and package.json." }, `specs/${project}`);
    const seq = await lastSeq();
    const refused = await failure("feed", project);
    expect(refused).toMatchObject({ code: 1, value: { error: { code: "SPEC_CHANGED", facts: { task: id("S01-a") } } } });
    expect(refused.value.error.hint).not.toBeNull();
    expect(await lastSeq()).toBe(seq);
    scene.spec(first(), `specs/${project}`);
  });

  test("a task is named as far as it is one; otherwise nothing happens and the names are told", async () => {
    expect(await failure("why", "S99")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
    expect(await failure("cancel", `${project}/S99-no`)).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
    const ambiguous = await failure("cancel", "S01");
    expect(ambiguous).toMatchObject({ code: 2, value: { error: { code: "USAGE" } } });
    expect((ambiguous.value.error.facts["matches"] as string[]).length).toBeGreaterThan(1);
    expect(await failure("logs", id("S02-b"))).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
    expect(await failure("logs", id("S01-a"), "--attempt", "7")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
    expect(await failure("status", "nowhere")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
    expect(await failure("start", "nowhere")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
    expect(await failure("report", "nowhere")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
  });

  test("a running task that is cancelled stops and keeps its work", async () => {
    await scene.must("cancel", id("S03-c"));
    await scene.untilTask(id("S03-c"), "cancelled");
    await until("no session is left", async () => (await scene.status()).sessions.every((session) => session.task !== id("S03-c")));
    const { hub, refs } = await scene.task(id("S03-c"));
    const salvage = refs.find((ref) => ref.includes("/salvage/")) ?? "";
    expect(await scene.git(hub, "show", `${salvage}:lib/c.js`)).toContain("half");
    await post(scene, `tasks/${id("S04-waits")}/cancel`);
    await scene.untilTask(id("S04-waits"), "cancelled");
  });

  test("of two tasks on one file the second runs after the first, on top of it, with its new text", async () => {
    scene.release(`${project}-a`);
    const { state } = (await scene.task((await scene.untilTask(id("S01-a"), "merged")).id)).task;
    await until("the second agent is at work", () => scene.reached(`${project}-b`));
    scene.release(`${project}-b`);
    await scene.untilTask(id("S02-b"), "merged");
    const { attempts, task } = await scene.task(id("S02-b"));
    expect(attempts.map((attempt) => attempt.base)).toEqual([(state as { commit?: string }).commit]);
    expect(task.text).toContain("newly wanted");
  });

  test("what landed can be neither cancelled, tried again nor attached to; what was cancelled is taken up again and lands", async () => {
    for (const command of ["cancel", "retry", "attach"]) {
      expect(await failure(command, id("S02-b"))).toMatchObject({ code: 1, value: { error: { code: "NOT_ALLOWED" } } });
    }
    scene.release(`${project}-c`);
    for (const name of ["S03-c", "S04-waits"]) await post(scene, `tasks/${id(name)}/retry`, {});
    await scene.untilTask(id("S04-waits"), "merged");
    expect((await scene.task(id("S03-c"))).task.state.kind).toBe("merged");
  });
});

test("what is parked names its findings and its salvage; a retry tries it again; its edited spec is refused by feed, and taken and landed by retry --edited", async () => {
  await declareNext();
  scene.spec(adds("S01-one", "one", { attempts: 1 }));
  scene.answer("S01-one", "echo half > src/one.js; echo half > test/one.test.js");
  await start();
  await scene.untilTask(id("S01-one"), "parked");
  const { task, refs, hub } = await scene.must<TaskView>("show", id("S01-one"));
  if (task.state.kind !== "parked") throw new Error(task.state.kind);
  expect(task.state.because).toMatchObject({ code: "rounds-exhausted" });
  expect(task.state.because.findings.map((finding) => finding.gate)).toContain("G01");
  expect(refs).toContain(task.state.because.salvage);
  expect(await scene.git(hub, "show", `${task.state.because.salvage}:src/one.js`)).toBe("half");
  const followed = await scene.dispatch("start", project, "--follow");
  expect(followed.code).toBe(1);
  scene.answer("S01-one", `hold ${project}\n${good("one")}\necho more >> README.md`);
  await scene.must("retry", id("S01-one"));
  await until("the agent is at work again", () => scene.reached(project));
  scene.release(project);
  await scene.untilTask(id("S01-one"), "parked");

  const path = `specs/${project}`;
  const wider = adds("S01-one", "one", { attempts: 1, modifies: ["README.md"] });
  scene.spec({ ...wider, modifies: ["../README.md"] }, path);
  expect(await failure("retry", id("S01-one"), "--edited")).toMatchObject({ code: 1, value: { error: { code: "SPEC_INVALID" } } });
  scene.spec(wider, path);
  const refused = await failure("feed", project);
  expect(refused).toMatchObject({ code: 1, value: { error: { code: "SPEC_CHANGED", facts: { state: "parked" } } } });
  expect(refused.value.error.hint).toContain(`dispatch retry ${id("S01-one")} --edited`);
  expect((await scene.task(id("S01-one"))).task.state.kind).toBe("parked");
  await scene.must("retry", id("S01-one"), "--edited");
  await scene.untilTask(id("S01-one"), "merged");
  expect((await scene.task(id("S01-one"))).attempts.map((attempt) => attempt.n)).toEqual([1, 2, 3]);
});

test("landing on collect: what is cancelled while it waits does not land", async () => {
  await makeProject("--landing", "on-collect");
  for (const name of ["one", "two"]) {
    scene.spec(adds(`S01-${name}`.replace("S01-two", "S02-two"), name));
    scene.answer(name === "one" ? "S01-one" : "S02-two", good(name));
  }
  await start();
  await scene.untilTask(id("S01-one"), "queued");
  await scene.untilTask(id("S02-two"), "queued");
  await scene.must("cancel", id("S01-one"));
  const collected = await scene.must<{ landed: string[] }>("collect", project);
  expect(collected.landed).toEqual([id("S02-two")]);
  const repo = join(scene.root, project);
  expect(await scene.git(repo, "ls-tree", "--name-only", "main", "src/")).toBe("src/index.js\nsrc/slug.js\nsrc/two.js");
  const status = await scene.must<StatusView>("status", project);
  expect(status.projects[0]?.counts).toMatchObject({ cancelled: 1, merged: 1 });
});
