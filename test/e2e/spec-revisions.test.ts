import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ErrorView, FeedView, PutSpecRequest, PutSpecView, SpecConflictFacts, SpecView } from "@dispatch/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RealDaemon, startDaemon } from "../kit/real-daemon.ts";
import { declareProject } from "./kit/declare-project.ts";
import { addFunction } from "./kit/library.ts";
import { post } from "./kit/post.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { until } from "./kit/until.ts";
import type { SpecInput } from "./kit/write-spec.ts";

let scene: Scene;
let project: string;
let one: string;
let name: string;
let n = 0;
const id = (): string => `${project}/${one}`;
const good = (): string => addFunction(name, "return text;");
const adds = (more: Partial<SpecInput> = {}): SpecInput => ({ id: one, project, creates: [`src/${name}.js`, `test/${name}.test.js`], ...more });
const fileOf = (): string => `specs/${project}/${one}.md`;

beforeAll(async () => {
  scene = await openScene({ slots: 2 });
  for (const paused of ["words", "killed"]) await declareProject(scene, paused);
  await scene.must("start", "words");
  await post(scene, "projects/words/pause");
});
afterAll(() => scene.end());
beforeEach(() => {
  n += 1;
  project = "words";
  name = `one${n}`;
  one = `S${String(n).padStart(2, "0")}-one`;
});

/** Feeds a spec whose task stays planned: the project is paused. Returns its text. */
async function feedPaused(more: Partial<SpecInput> = {}): Promise<string> {
  scene.spec(adds(more));
  scene.answer(one, good());
  await feed();
  return scene.read(fileOf());
}

const feed = () => post<FeedView>(scene, `projects/${project}/feed`);

interface Answered<T> {
  status: number;
  value: T & Partial<ErrorView>;
}

async function http<T>(method: string, path: string, body?: object): Promise<Answered<T>> {
  const { status, body: text } = await scene.ask(method, `/v1/tasks/${path}`, body);
  return { status, value: JSON.parse(text) as T & Partial<ErrorView> };
}

const put = (text: string, baseRevision: number) => http<PutSpecView>("PUT", `${id()}/spec`, { text, baseRevision } satisfies PutSpecRequest);
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
    const theirs = first.replace("wrong input is refused", "a number is refused").replace(`"src/${name}.js", `, "");
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
    const refused = await put(first.replace(`"src/${name}.js"`, '"../one.js"'), 1);
    expect(refused).toMatchObject({ status: 400, value: { error: { code: "SPEC_INVALID", facts: { problems: expect.any(Array) } } } });
    expect((await put(first.replace(`task_id: ${one}`, "task_id: S99-other"), 1)).status).toBe(400);
    expect(await put(first, 1)).toMatchObject({ status: 200, value: { revision: 1, changed: [] } });
    await expectAt(1, first);
    expect((await scene.status()).lastSeq).toBe(before);
  });

  test("of many edits of one revision exactly one wins, and file and ledger have its text", async () => {
    const first = await feedPaused();
    for (let base = 1; base <= 3; base++) {
      const current = (await spec()).value.text;
      const texts = Array.from({ length: 8 }, (_, i) => current.replace(/Write what.*|Edit .*/, `Edit ${base}.${i} of src/${name}.js.`));
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
    const again = await feed();
    expect(again).toMatchObject({ revised: [], unchanged: expect.arrayContaining([id()]) });
    const fourth = third.replace("estimate_min: 7", "estimate_min: 8");
    scene.write(fileOf(), fourth);
    expect(await feed()).toMatchObject({ revised: [id()] });
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
    await feed();
    expect((await put(inFile.replace("priority: 2", "priority: 3"), 2)).status).toBe(200);
  });

  test("a file that is gone is written again", async () => {
    const first = await feedPaused();
    rmSync(join(scene.factory, fileOf()));
    const second = first.replace("priority: 2", "priority: 3");
    expect((await put(second, 1)).status).toBe(200);
    await expectAt(2, second);
  });
});

test("while a task runs and after it merged an edit is 409 with what to do; a parked or cancelled one is taken up again with the new text", async () => {
  project = "running";
  await declareProject(scene, project);
  scene.spec(adds({ attempts: 1 }));
  scene.answer(one, `hold "$DISPATCH_ATTEMPT"\n${good()}\necho more >> README.md`);
  const attempt = (number: number): string => `${project}--${one}--${number}`;
  await post(scene, `projects/${project}/start`);
  await until("the agent is at work", () => scene.reached(attempt(1)));
  const first = scene.read(fileOf());
  const second = first.replace("modifies: []", 'modifies: ["README.md"]');
  const running = await put(second, 1);
  expect(running).toMatchObject({ status: 409, value: { error: { code: "NOT_ALLOWED", facts: { state: "running" } } } });
  expect(running.value.error?.hint).toContain(`dispatch cancel ${id()}`);
  await expectAt(1, first);

  scene.release(attempt(1));
  await scene.untilTask(id(), "parked");
  expect(await put(second, 1)).toMatchObject({ status: 200, value: { revision: 2, changed: ["modifies"] } });
  await until("the agent is at work again", () => scene.reached(attempt(2)));

  await post(scene, `tasks/${id()}/cancel`);
  await scene.untilTask(id(), "cancelled");
  scene.release(attempt(3));
  const third = second.replace("estimate_min: 5", "estimate_min: 6");
  expect((await put(third, 2)).status).toBe(200);
  await scene.untilTask(id(), "merged");
  expect((await scene.task(id())).task).toMatchObject({ revision: 3, spec: { estimateMinutes: 6 } });
  const merged = await put(first, 3);
  expect(merged).toMatchObject({ status: 409, value: { error: { code: "NOT_ALLOWED", facts: { state: "merged" } } } });
  expect(merged.value.error?.hint).not.toBeNull();
  await expectAt(3, third);
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
      for (const path of [copy, kept]) rmSync(dirname(path), { recursive: true });
    } finally {
      delete scene.env["EDITOR"];
    }
    expect((await spec()).value.current).toBe(3);
  });
});

describe("killed in the middle of an edit", () => {
  let first: string;
  const edited = (priority: number): string => first.replace("priority: 2", `priority: ${priority}`);
  const upWith = async (crashAt?: string): Promise<RealDaemon> => {
    const daemon = startDaemon(scene.factory, scene.env, crashAt);
    expect(await daemon.up, daemon.output()).toBe(true);
    return daemon;
  };
  /** An edit in whose middle the daemon is killed. */
  const putKilled = async (daemon: RealDaemon, text: string, baseRevision: number): Promise<void> => {
    await expect(put(text, baseRevision)).rejects.toThrow();
    expect(await daemon.ended).toMatchObject({ signal: "SIGKILL" });
  };
  const expectBoth = async (before: string, after: string, revision: number): Promise<void> => {
    const texts = [scene.read(fileOf()), (await spec()).value.text, (await spec(revision)).value.text];
    expect(texts).toContain(before);
    expect(texts).toContain(after);
  };

  test("between file and fact, or after the fact, neither text is lost, the same request again goes through, and a feed takes what lies in the file", async () => {
    project = "killed";
    await post(scene, `projects/${project}/start`);
    await post(scene, `projects/${project}/pause`);
    first = await feedPaused();
    const [second, third, fourth] = [edited(1), edited(0), edited(3)];
    await scene.must("down");

    await putKilled(await upWith("commit:before#1"), second, 1);
    const again = await upWith("commit:after#2");
    await expectBoth(first, second, 1);
    expect(await put(second, 1)).toMatchObject({ status: 200, value: { revision: 2 } });
    await expectAt(2, second);

    await putKilled(again, third, 2);
    const last = await upWith("commit:before#1");
    await expectBoth(second, third, 2);
    expect(await put(third, 2)).toMatchObject({ status: 200, value: { revision: 3 } });
    await expectAt(3, third);

    await putKilled(last, fourth, 3);
    expect(scene.read(fileOf())).toBe(fourth);
    await upWith();
    expect((await spec()).value).toMatchObject({ current: 3, text: third });
    expect(await put(first, 3)).toMatchObject({ status: 409, value: { error: { facts: { file: fileOf() } } } });
    expect(await scene.must<FeedView>("feed", project)).toMatchObject({ revised: [id()] });
    await expectAt(4, fourth);
    expect(existsSync(join(scene.factory, fileOf()))).toBe(true);

    await post(scene, `projects/${project}/resume`);
    await scene.untilTask(id(), "merged");
  });
});
