import { join } from "node:path";
import type { ErrorView, FeedView, StatusView, TaskView, WhyView } from "@dispatch/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { addFunction, library, verify } from "./kit/library.ts";
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

const id = (spec: string): string => `${project}/${spec}`;
/** A spec that adds one function; its answer is given apart. */
const adds = (spec: string, name: string, more: Partial<SpecInput> = {}): SpecInput => ({
  id: spec,
  project,
  creates: [`src/${name}.js`, `test/${name}.test.js`],
  ...more,
});
const start = () => scene.must<FeedView>("start", project);
const failure = (...args: string[]) => scene.json<ErrorView>(...args);
const lastSeq = async (): Promise<number> => (await scene.status()).lastSeq;
const good = (name: string): string => addFunction(name, "return text;");

describe("with one slot", () => {
  beforeAll(async () => {
    scene = await openScene({ slots: 1 });
  });
  afterAll(() => scene.end());
  beforeEach(() => makeProject());

  test("tasks are placed by priority, then by how much waits for them", async () => {
    scene.spec(adds("S01-later", "later", { priority: 3 }));
    scene.spec(adds("S02-leaf", "leaf", { priority: 2 }));
    scene.spec(adds("S03-root", "root", { priority: 2 }));
    scene.spec(adds("S04-child", "child", { priority: 3, dependsOn: ["S03-root"] }));
    scene.spec(adds("S05-first", "first", { priority: 1 }));
    for (const name of ["S01-later", "S02-leaf", "S03-root", "S04-child", "S05-first"]) scene.answer(name, good(name.slice(4)));
    await start();
    for (const name of ["S01-later", "S02-leaf", "S03-root", "S04-child", "S05-first"]) await scene.untilTask(id(name), "merged");
    const shown = await Promise.all(["S01-later", "S02-leaf", "S03-root", "S04-child", "S05-first"].map((name) => scene.task(id(name))));
    const order = shown.sort((a, b) => (a.attempts[0]?.placedAt ?? 0) - (b.attempts[0]?.placedAt ?? 0)).map((view) => view.task.spec.id);
    expect(order.slice(0, 3)).toEqual(["S05-first", "S03-root", "S02-leaf"]);
    expect([...order.slice(3)].sort()).toEqual(["S01-later", "S04-child"]);
  });

  test("a paused project places nothing new, lets run what runs, and goes on when resumed", async () => {
    scene.spec(adds("S01-one", "one", { priority: 1 }));
    scene.spec(adds("S02-two", "two", { priority: 2 }));
    scene.answer("S01-one", `hold ${project}\n${good("one")}`);
    scene.answer("S02-two", good("two"));
    await start();
    await until("the agent is at work", () => scene.reached(project));
    const why = await scene.must<WhyView>("why", id("S02-two"));
    expect(why).toMatchObject({ state: "planned", explanation: { kind: expect.any(String) } });
    await scene.must("pause", project);
    scene.release(project);
    await scene.untilTask(id("S01-one"), "merged");
    const paused = await scene.status();
    expect(paused.projects.find((row) => row.id === project)?.placing).toMatchObject({ kind: "paused" });
    expect(paused.tasks.find((row) => row.id === id("S02-two"))).toMatchObject({ state: "planned", attempt: 0 });
    await scene.must("resume", project);
    await scene.untilTask(id("S02-two"), "merged");
  });
});

describe("with three slots", () => {
  beforeAll(async () => {
    scene = await openScene({ slots: 3 });
  });
  afterAll(() => scene.end());

  describe("landing continuously", () => {
    beforeEach(() => makeProject());

    test("two tasks on one file run one after the other, the second on top of the first; a third runs beside them", async () => {
      const appends = (word: string): string => `hold ${project}-${word}\nprintf 'export const ${word} = "${word}";\\n' >> src/index.js`;
      scene.spec({ id: "S01-a", project, modifies: ["src/index.js", "README.md", "package.json"], priority: 1 });
      scene.spec({ id: "S02-b", project, modifies: ["src/*.js"], priority: 2 });
      scene.spec(adds("S03-c", "c", { creates: ["lib/c.js", "test/c.test.js"] }));
      scene.answer("S01-a", appends("a"));
      scene.answer("S02-b", appends("b"));
      scene.answer("S03-c", `hold ${project}-c\nmkdir lib\n${good("c").replaceAll("src/c.js", "lib/c.js")}`);
      await start();
      await until("both agents are at work", () => scene.reached(`${project}-a`) && scene.reached(`${project}-c`));
      const held = await scene.status();
      expect(held.tasks.find((row) => row.id === id("S02-b"))).toMatchObject({ state: "planned", display: "locked" });
      const why = await scene.must<WhyView>("why", id("S02-b"));
      expect(JSON.stringify(why.explanation)).toContain(id("S01-a"));
      scene.release(`${project}-a`);
      const first = await scene.untilTask(id("S01-a"), "merged");
      await until("the second agent is at work", () => scene.reached(`${project}-b`));
      for (const word of ["b", "c"]) scene.release(`${project}-${word}`);
      await scene.untilTask(id("S02-b"), "merged");
      await scene.untilTask(id("S03-c"), "merged");
      const [one, two] = [await scene.task(first.id), await scene.task(id("S02-b"))];
      expect(two.attempts.map((attempt) => attempt.base)).toEqual([(one.task.state as { commit?: string }).commit]);
    });

    test("the same specs again change nothing; one that has not run yet takes its new text", async () => {
      scene.spec(adds("S01-one", "one"));
      const waiting = adds("S02-two", "two", { dependsOn: ["S01-one"] });
      scene.spec(waiting);
      scene.answer("S01-one", `hold ${project}\n${good("one")}`);
      scene.answer("S02-two", good("two"));
      await start();
      await until("the agent is at work", () => scene.reached(project));
      const before = await lastSeq();
      const again = await scene.must<FeedView>("feed", project);
      expect(again).toMatchObject({ planned: [], revised: [], moved: [] });
      expect([...again.unchanged].sort()).toEqual([id("S01-one"), id("S02-two")]);
      expect(await lastSeq()).toBe(before);

      scene.spec({ ...waiting, goal: "Write what is newly wanted into src/two.js and test/two.test.js." }, `specs/${project}`);
      expect(await scene.must<FeedView>("feed", project)).toMatchObject({ revised: [id("S02-two")] });

      scene.spec(adds("S01-one", "one", { goal: "Something else for src/one.js and test/one.test.js." }), `specs/${project}`);
      const seq = await lastSeq();
      const refused = await failure("feed", project);
      expect(refused).toMatchObject({ code: 1, value: { error: { code: "SPEC_CHANGED", facts: { task: id("S01-one") } } } });
      expect(refused.value.error.hint).not.toBeNull();
      expect(await lastSeq()).toBe(seq);
      scene.release(project);
      await scene.untilTask(id("S02-two"), "merged");
      expect((await scene.task(id("S02-two"))).task.text).toContain("newly wanted");
    });

    test("what is parked names its findings and its salvage; mended, a retry lands it", async () => {
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
      scene.answer("S01-one", good("one"));
      await scene.must("retry", id("S01-one"));
      await scene.untilTask(id("S01-one"), "merged");
      expect((await scene.task(id("S01-one"))).attempts.map((attempt) => attempt.n)).toEqual([1, 2]);
    });

    test("an edited spec of a parked task is refused by feed and taken by retry --edited", async () => {
      scene.spec(adds("S01-one", "one", { attempts: 1 }));
      scene.answer("S01-one", `${good("one")}\necho more >> README.md`);
      await start();
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
    });

    test("a running task that is cancelled stops, keeps its work, and frees its lock; it can be taken up again", async () => {
      scene.spec(adds("S01-one", "one"));
      scene.spec(adds("S02-same", "one", { creates: [], modifies: ["src/slug.js"] }));
      scene.spec(adds("S03-waits", "waits", { dependsOn: ["S01-one"] }));
      scene.answer("S01-one", `echo 'export const half = 1;' > src/one.js\nhold ${project}\n${good("one")}`);
      scene.answer("S02-same", "sed -i 's/a text/one text/' src/slug.js");
      scene.answer("S03-waits", good("waits"));
      await start();
      await until("the agent is at work", () => scene.reached(project));
      await scene.must("cancel", id("S01-one"));
      await scene.untilTask(id("S01-one"), "cancelled");
      await until("no session is left", async () => (await scene.status()).sessions.every((session) => session.task !== id("S01-one")));
      const { hub, refs } = await scene.task(id("S01-one"));
      const salvage = refs.find((ref) => ref.includes("/salvage/")) ?? "";
      expect(await scene.git(hub, "show", `${salvage}:src/one.js`)).toContain("half");
      await scene.must("cancel", id("S03-waits"));
      await scene.untilTask(id("S03-waits"), "cancelled");
      await scene.untilTask(id("S02-same"), "merged");
      expect(await failure("cancel", id("S02-same"))).toMatchObject({ code: 1, value: { error: { code: "NOT_ALLOWED" } } });
      expect(await failure("retry", id("S02-same"))).toMatchObject({ code: 1, value: { error: { code: "NOT_ALLOWED" } } });
      scene.release(project);
      await scene.must("retry", id("S01-one"));
      await scene.must("retry", id("S03-waits"));
      await scene.untilTask(id("S03-waits"), "merged");
    });

    test("a task is named as far as it is one; otherwise nothing happens and the names are told", async () => {
      scene.spec(adds("S09-one", "one"));
      scene.spec(adds("S10-two", "two", { dependsOn: ["S09-one"] }));
      scene.answer("S09-one", `hold ${project}\n${good("one")}`);
      scene.answer("S10-two", good("two"));
      await start();
      await until("the agent is at work", () => scene.reached(project));
      expect(await failure("why", "S99")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
      expect(await failure("cancel", `${project}/S99-no`)).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
      const ambiguous = await failure("cancel", "S01");
      expect(ambiguous).toMatchObject({ code: 2, value: { error: { code: "USAGE" } } });
      expect((ambiguous.value.error.facts["matches"] as string[]).length).toBeGreaterThan(1);
      expect(await failure("logs", id("S10-two"))).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
      expect(await failure("logs", id("S09-one"), "--attempt", "7")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
      expect(await failure("status", "nowhere")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
      expect(await failure("start", "nowhere")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
      expect(await failure("report", "nowhere")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
      scene.release(project);
      await scene.untilTask(id("S10-two"), "merged");
      expect(await failure("attach", id("S10-two"))).toMatchObject({ code: 1, value: { error: { code: "NOT_ALLOWED" } } });
    });
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
});
