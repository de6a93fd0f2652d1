import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ErrorView, FeedView, PutSpecRequest, PutSpecView, SpecConflictFacts, SpecView } from "@dispatch/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startDaemon } from "../kit/real-daemon.ts";
import { addFunction, library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { until } from "./kit/until.ts";
import type { SpecInput } from "./kit/write-spec.ts";

let scene: Scene;
let project: string;
let n = 0;
const one = "S01-one";
const id = (spec = one): string => `${project}/${spec}`;
const good = (name: string): string => addFunction(name, "return text;");
const adds = (more: Partial<SpecInput> = {}): SpecInput => ({ id: one, project, creates: ["src/one.js", "test/one.test.js"], ...more });
const fileOf = (spec = one): string => `specs/${project}/${spec}.md`;

beforeAll(async () => {
  scene = await openScene({ slots: 2 });
});
afterAll(() => scene.end());
beforeEach(async () => {
  n += 1;
  project = `words${n}`;
  const repo = await scene.repository(project, library);
  await scene.must("project", "add", project, "--repo", repo, "--verify", verify, "--executor", "by-file");
});

/** Feeds a spec whose task stays planned: the project is paused. Returns its text. */
async function feedPaused(more: Partial<SpecInput> = {}): Promise<string> {
  await scene.must("start", project);
  await scene.must("pause", project);
  scene.spec(adds(more));
  scene.answer(one, good("one"));
  await scene.must("feed", project);
  return scene.read(fileOf());
}

interface Answered<T> {
  status: number;
  value: T & Partial<ErrorView>;
}

async function http<T>(method: string, path: string, body?: object): Promise<Answered<T>> {
  const { status, body: text } = await scene.ask(method, `/v1/tasks/${path}`, body);
  return { status, value: JSON.parse(text) as T & Partial<ErrorView> };
}

const put = (text: string, baseRevision: number, spec = one) =>
  http<PutSpecView>("PUT", `${id(spec)}/spec`, { text, baseRevision } satisfies PutSpecRequest);
const spec = (revision?: number) => http<SpecView>("GET", `${id()}/spec${revision === undefined ? "" : `?revision=${revision}`}`);

/** File and ledger hold the same text at the same revision. */
async function expectAt(revision: number, text: string): Promise<void> {
  const { value } = await spec();
  expect([value.current, value.text]).toEqual([revision, text]);
  expect(scene.read(fileOf())).toBe(text);
  expect(readdirSync(join(scene.factory, dirname(fileOf()))).filter((name) => !name.endsWith(".md"))).toEqual([]);
}

describe("over HTTP", () => {
  test("an edit changes file and ledger together, and the history says who, when and what", async () => {
    const first = await feedPaused();
    const second = first.replace("priority: 2", "priority: 1");
    const third = second.replace("wrong input is refused", "a number is refused").replace("estimate_min: 5", "estimate_min: 6");
    expect(await put(second, 1)).toMatchObject({ status: 200, value: { task: id(), revision: 2, changed: ["priority"] } });
    await expectAt(2, second);
    expect(await put(third, 2)).toMatchObject({ status: 200, value: { revision: 3, changed: ["estimate_min", "acceptance"] } });
    await expectAt(3, third);
    const { value } = await spec();
    expect(value.history.map(({ revision, changed }) => [revision, changed])).toEqual([
      [1, []],
      [2, ["priority"]],
      [3, ["estimate_min", "acceptance"]],
    ]);
    for (const row of value.history) {
      expect(row.by).not.toBeNull();
      expect(row.at).toBeGreaterThan(0);
    }
    expect((await spec(1)).value).toMatchObject({ revision: 1, current: 3, text: first });
    expect((await spec(2)).value.text).toBe(second);
    expect(await spec(4)).toMatchObject({ status: 404, value: { error: { code: "NOT_FOUND" } } });
    expect((await scene.task(id())).task.spec.priority).toBe(1);
  });

  test("an edit without baseRevision is 400; one of an old revision 409 with all texts and what changed; nothing is written", async () => {
    const first = await feedPaused();
    const theirs = first.replace("wrong input is refused", "a number is refused").replace('"src/one.js", ', "");
    const mine = first.replace("priority: 2", "priority: 0");
    expect((await put(theirs, 1)).status).toBe(200);
    const before = (await scene.status()).lastSeq;
    const bodies: object[] = [
      { text: mine },
      { text: mine, baseRevision: "1" },
      { text: mine, baseRevision: 0 },
      { baseRevision: 2 },
      {},
      { text: mine, baseRevision: 2, more: 1 },
    ];
    for (const body of bodies) {
      expect(await http("PUT", `${id()}/spec`, body), JSON.stringify(body)).toMatchObject({ status: 400, value: { error: { code: "USAGE" } } });
    }
    const refused = await put(mine, 1);
    expect(refused).toMatchObject({ status: 409, value: { error: { code: "SPEC_CHANGED" } } });
    expect(refused.value.error?.facts).toEqual({
      task: id(),
      revision: 2,
      baseRevision: 1,
      changed: ["creates", "acceptance"],
      current: theirs,
      yours: mine,
      base: first,
    } satisfies SpecConflictFacts);
    expect(await put(mine, 7)).toMatchObject({ status: 404, value: { error: { code: "NOT_FOUND" } } });
    await expectAt(2, theirs);
    expect((await scene.status()).lastSeq).toBe(before);
  });

  test("a text that is not fit is 400 with its problems; the text that is there already changes nothing", async () => {
    const first = await feedPaused();
    const before = (await scene.status()).lastSeq;
    const refused = await put(first.replace('"src/one.js"', '"../one.js"'), 1);
    expect(refused).toMatchObject({ status: 400, value: { error: { code: "SPEC_INVALID", facts: { problems: expect.any(Array) } } } });
    expect((await put(first.replace(`task_id: ${one}`, "task_id: S02-other"), 1)).status).toBe(400);
    expect(await put(first, 1)).toMatchObject({ status: 200, value: { revision: 1, changed: [] } });
    await expectAt(1, first);
    expect((await scene.status()).lastSeq).toBe(before);
  });

  test("of many edits of one revision exactly one wins, and file and ledger have its text", async () => {
    const first = await feedPaused();
    for (let base = 1; base <= 3; base++) {
      const current = (await spec()).value.text;
      const texts = Array.from({ length: 8 }, (_, i) => current.replace(/Write what.*|Edit .*/, `Edit ${base}.${i} of src/one.js.`));
      const answers = await Promise.all(texts.map((text) => put(text, base)));
      const won = answers.flatMap(({ status }, i) => (status === 200 ? [i] : []));
      expect(won).toHaveLength(1);
      expect(answers.filter(({ status, value }) => status === 409 && value.error?.code === "SPEC_CHANGED")).toHaveLength(7);
      await expectAt(base + 1, texts[won[0] ?? -1] ?? "");
    }
    expect((await spec(1)).value.text).toBe(first);
  });

  test("an edit and a feed of an edited file at once: neither is lost", async () => {
    const first = await feedPaused();
    for (let round = 1; round <= 4; round++) {
      const { text, current } = (await spec()).value;
      const through = text.replace(/priority: \d/, `priority: ${round % 4}`);
      const inFile = text.replace(/estimate_min: \d+/, `estimate_min: ${5 + round}`);
      const [answer] = await Promise.all([
        put(through, current),
        (async () => {
          scene.write(fileOf(), inFile);
          await scene.ask("POST", `/v1/projects/${project}/feed`);
        })(),
      ]);
      await scene.ask("POST", `/v1/projects/${project}/feed`);
      const { history, text: now } = (await spec()).value;
      expect(scene.read(fileOf())).toBe(now);
      const texts = await Promise.all(history.map(async ({ revision }) => (await spec(revision)).value.text));
      if (answer.status === 200) expect(texts).toContain(through);
      else expect(answer).toMatchObject({ status: 409, value: { error: { code: "SPEC_CHANGED" } } });
    }
    expect((await spec(1)).value.text).toBe(first);
  });
});

describe("beside the plain workflow of files", () => {
  test("editing the file and feeding again is a revision, before and after an edit through the interface", async () => {
    const first = await feedPaused();
    const second = first.replace("priority: 2", "priority: 3");
    scene.write(fileOf(), second);
    expect(await scene.must<FeedView>("feed", project)).toMatchObject({ revised: [id()] });
    const third = second.replace("estimate_min: 5", "estimate_min: 7");
    expect((await put(third, 2)).status).toBe(200);
    expect(await scene.must<FeedView>("feed", project)).toMatchObject({ revised: [], unchanged: [id()] });
    const fourth = third.replace("estimate_min: 7", "estimate_min: 8");
    scene.write(fileOf(), fourth);
    expect(await scene.must<FeedView>("feed", project)).toMatchObject({ revised: [id()] });
    await expectAt(4, fourth);
  });

  test("a file that was edited and not fed is never overwritten: 409 names it", async () => {
    const first = await feedPaused();
    const inFile = first.replace("estimate_min: 5", "estimate_min: 7");
    scene.write(fileOf(), inFile);
    const mine = first.replace("priority: 2", "priority: 3");
    const refused = await put(mine, 1);
    expect(refused).toMatchObject({ status: 409, value: { error: { code: "SPEC_CHANGED", facts: { file: fileOf() } } } });
    expect(scene.read(fileOf())).toBe(inFile);
    expect((await spec()).value).toMatchObject({ current: 1, text: first });
    await scene.must("feed", project);
    expect((await put(inFile.replace("priority: 2", "priority: 3"), 2)).status).toBe(200);
  });

  test("a file that is gone is written again", async () => {
    const first = await feedPaused();
    const { rmSync } = await import("node:fs");
    rmSync(join(scene.factory, fileOf()));
    const second = first.replace("priority: 2", "priority: 3");
    expect((await put(second, 1)).status).toBe(200);
    await expectAt(2, second);
  });
});

describe("in the states of a task", () => {
  test("while it runs and after it merged an edit is 409 with what to do; a cancelled one is taken up again", async () => {
    scene.spec(adds());
    scene.answer(one, `hold ${project}\n${good("one")}`);
    await scene.must("start", project);
    await until("the agent is at work", () => scene.reached(project));
    const text = scene.read(fileOf());
    const edited = text.replace("estimate_min: 5", "estimate_min: 6");
    const running = await put(edited, 1);
    expect(running).toMatchObject({ status: 409, value: { error: { code: "NOT_ALLOWED", facts: { state: "running" } } } });
    expect(running.value.error?.hint).toContain(`dispatch cancel ${id()}`);
    await expectAt(1, text);
    await scene.must("cancel", id());
    await scene.untilTask(id(), "cancelled");
    scene.release(project);
    expect((await put(edited, 1)).status).toBe(200);
    await scene.untilTask(id(), "merged");
    expect((await scene.task(id())).task).toMatchObject({ revision: 2, spec: { estimateMinutes: 6 } });
    const merged = await put(text, 2);
    expect(merged).toMatchObject({ status: 409, value: { error: { code: "NOT_ALLOWED", facts: { state: "merged" } } } });
    expect(merged.value.error?.hint).not.toBeNull();
    await expectAt(2, edited);
  });

  test("a parked one is taken up again with the new text", async () => {
    scene.spec(adds({ attempts: 1 }));
    scene.answer(one, `${good("one")}\necho more >> README.md`);
    await scene.must("start", project);
    await scene.untilTask(id(), "parked");
    const text = scene.read(fileOf());
    expect(await put(text.replace("modifies: []", 'modifies: ["README.md"]'), 1)).toMatchObject({ status: 200, value: { changed: ["modifies"] } });
    await scene.untilTask(id(), "merged");
  });
});

describe("on the command line", () => {
  test("show prints the text alone on stdout; diff tells what changed; put replaces it", async () => {
    const first = await feedPaused();
    const shown = await scene.dispatch("spec", "show", id());
    expect([shown.code, shown.stdout]).toEqual([0, first]);
    expect(shown.stderr).toContain("revision 1 of 1");
    const file = join(scene.root, "edited.md");
    writeFileSync(file, first.replace("priority: 2", "priority: 0"));
    expect(await scene.json<ErrorView>("spec", "put", id(), "--file", file)).toMatchObject({ code: 2, value: { error: { code: "USAGE" } } });
    expect(await scene.must<PutSpecView>("spec", "put", id(), "--file", file, "--base-revision", "1")).toMatchObject({ revision: 2 });
    writeFileSync(file, first.replace("priority: 2", "priority: 3"));
    const stale = await scene.json<ErrorView>("spec", "put", id(), "--file", file, "--base-revision", "1");
    expect(stale).toMatchObject({
      code: 1,
      value: { error: { code: "SPEC_CHANGED", facts: { revision: 2, baseRevision: 1, changed: ["priority"] } } },
    });
    const diff = await scene.dispatch("spec", "diff", id());
    expect(diff.stdout.split("\n").filter((line) => /^[-+][^-+]/.test(line))).toEqual(["-priority: 2", "+priority: 0"]);
    expect(await scene.must("spec", "diff", id(), "--from", "1", "--to", "2")).toMatchObject({ from: 1, to: 2, changed: ["priority"] });
    expect(await scene.must("spec", "diff", id(), "--from", "2", "--to", "1")).toMatchObject({ from: 2, to: 1, changed: ["priority"] });
    expect(await scene.json<ErrorView>("spec", "diff", id(), "--from", "9")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
    expect(await scene.must<SpecView>("spec", "show", id(), "--revision", "1")).toMatchObject({ text: first, current: 2 });
  });

  test("edit opens a copy and puts it back; when somebody was faster, or the editor fails, what was typed is kept", async () => {
    await feedPaused();
    const editor = join(scene.root, "editor.sh");
    const edits = (body: string): void => {
      writeFileSync(editor, `#!/bin/sh\nset -eu\n${body}\n`);
      chmodSync(editor, 0o755);
    };
    const { EDITOR: _, ...without } = scene.env;
    expect(Object.keys(without)).not.toContain("VISUAL");
    expect(await scene.json<ErrorView>("spec", "edit", id())).toMatchObject({ code: 2, value: { error: { code: "USAGE" } } });
    scene.env["EDITOR"] = `${editor} --some-option`;
    try {
      edits(`sed -i 's/priority: 2/priority: 1/' "$2"`);
      expect(await scene.must<PutSpecView>("spec", "edit", id())).toMatchObject({ revision: 2, changed: ["priority"] });
      edits(": nothing");
      expect(await scene.must<PutSpecView>("spec", "edit", id())).toMatchObject({ revision: 2, changed: [] });
      const other = join(scene.root, "other.md");
      edits(`sed 's/priority: 1/priority: 3/' "$2" > ${other}
${process.execPath} ${join(import.meta.dirname, "../../packages/cli/dist/bundle/dispatch.js")} spec put ${id()} --file ${other} --base-revision 2 >&2
sed -i 's/estimate_min: 5/estimate_min: 9/' "$2"`);
      const stale = await scene.json<ErrorView>("spec", "edit", id());
      expect(stale).toMatchObject({
        code: 1,
        value: { error: { code: "SPEC_CHANGED", facts: { revision: 3, baseRevision: 2, changed: ["priority"] } } },
      });
      const copy = String(stale.value.error.facts["copy"]);
      expect(stale.value.error.hint).toContain(copy);
      expect(readFileSync(copy, "utf8")).toContain("estimate_min: 9");
      edits('echo typed >> "$2"; exit 3');
      const failed = await scene.json<ErrorView>("spec", "edit", id());
      const kept = String(failed.value.error.facts["copy"]);
      expect([failed.code, readFileSync(kept, "utf8").endsWith("typed\n")]).toEqual([1, true]);
      const { rmSync } = await import("node:fs");
      for (const path of [copy, kept]) rmSync(dirname(path), { recursive: true });
    } finally {
      delete scene.env["EDITOR"];
    }
    expect((await spec()).value.current).toBe(3);
  });
});

describe("killed in the middle of an edit", () => {
  test.each([
    ["between the file and the fact", "commit:before#1"],
    ["after the fact, before the answer", "commit:after#1"],
  ])("%s, neither text is lost, and the same request again goes through", async (_, point) => {
    const first = await feedPaused();
    const second = first.replace("priority: 2", "priority: 1");
    await scene.must("down");
    const killed = startDaemon(scene.factory, scene.env, point);
    expect(await killed.up).toBe(true);
    await expect(put(second, 1)).rejects.toThrow();
    expect(await killed.ended).toMatchObject({ signal: "SIGKILL" });
    const again = startDaemon(scene.factory, scene.env);
    expect(await again.up, again.output()).toBe(true);
    const texts = [scene.read(fileOf()), (await spec()).value.text, (await spec(1)).value.text];
    expect(texts).toContain(first);
    expect(texts).toContain(second);
    expect(await put(second, 1)).toMatchObject({ status: 200, value: { revision: 2 } });
    await expectAt(2, second);
    await scene.must("resume", project);
    await scene.untilTask(id(), "merged");
  });

  test("between the file and the fact, a feed takes the edit as it lies in the file", async () => {
    const first = await feedPaused();
    const second = first.replace("priority: 2", "priority: 1");
    await scene.must("down");
    const killed = startDaemon(scene.factory, scene.env, "commit:before#1");
    expect(await killed.up).toBe(true);
    await expect(put(second, 1)).rejects.toThrow();
    await killed.ended;
    expect(scene.read(fileOf())).toBe(second);
    const again = startDaemon(scene.factory, scene.env);
    expect(await again.up).toBe(true);
    expect((await spec()).value).toMatchObject({ current: 1, text: first });
    expect(await put(first.replace("priority: 2", "priority: 0"), 1)).toMatchObject({ status: 409, value: { error: { facts: { file: fileOf() } } } });
    expect(await scene.must<FeedView>("feed", project)).toMatchObject({ revised: [id()] });
    await expectAt(2, second);
    expect(existsSync(join(scene.factory, fileOf()))).toBe(true);
  });
});
