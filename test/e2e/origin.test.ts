import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ErrorView, StatusView, TaskView } from "@dispatch/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { declareProject } from "./kit/declare-project.ts";
import { addFunction, library, verify } from "./kit/library.ts";
import { post } from "./kit/post.ts";
import { openScene, type Scene } from "./kit/scene.ts";

interface Collected {
  landed: readonly string[];
  last: { outcome: string; commit?: string; code?: string; because?: string; hint?: string };
}

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ slots: 3 });
});
afterAll(() => scene.end());

let project: string;
let origin: string;
let mine: string;

const mainOf = (folder: string): Promise<string> => scene.git(folder, "rev-parse", "main");
const hub = (): string => join(scene.factory, ".dispatch/hub", `${project}.git`);
const collect = () => scene.json<Collected>("collect", project);

async function collectState(): Promise<StatusView["projects"][number]["collect"]> {
  const row = (await scene.status()).projects.find((one) => one.id === project);
  if (row === undefined) throw new Error(`${project} is not in the status`);
  return row.collect;
}

/** Someone else commits and pushes. */
async function push(files: Readonly<Record<string, string>>, subject: string): Promise<string> {
  await scene.git(mine, "pull", "-q", "--ff-only", "origin", "main");
  const commit = await scene.commit(mine, files, subject);
  await scene.git(mine, "push", "-q", "origin", "main");
  return commit;
}

/** A task that has come to `state`. */
async function work(id: string, paths: { modifies?: string[]; creates?: string[] }, script: string, state: "merged" | "queued"): Promise<void> {
  scene.spec({ id, project, ...paths });
  scene.answer(id, script);
  await post(scene, `projects/${project}/start`);
  await scene.untilTask(`${project}/${id}`, state);
}

async function makeProject(name: string, landing: "continuous" | "on-collect", command = verify): Promise<void> {
  project = name;
  const source = await scene.repository(`${project}-source`, library);
  origin = join(scene.root, `${project}.git`);
  mine = join(scene.root, `${project}-mine`);
  await scene.git(scene.root, "clone", "-q", "--bare", source, origin);
  await scene.git(scene.root, "clone", "-q", origin, mine);
  await declareProject(scene, project, { repo: origin, landing, verify: command });
}

describe("others push to origin while work lands continuously", () => {
  beforeAll(async () => {
    await makeProject("words", "continuous");
    await scene.must("start", project);
  });

  test("their commits alone are taken in by fast-forward, and the next task builds on them", async () => {
    const theirs = await push({ "NOTES.md": "by hand\n" }, "Notes");
    const taken = await collect();
    expect(taken).toMatchObject({ code: 0, value: { last: { outcome: "published", commit: theirs } } });
    expect(await mainOf(hub())).toBe(theirs);
    await work("S01-after", { modifies: ["NOTES.md"], creates: ["test/notes.test.js"] }, `echo more >> NOTES.md; ${testFile("notes")}`, "merged");
    const { attempts } = await scene.task(`${project}/S01-after`);
    expect(attempts.map((attempt) => attempt.base)).toEqual([theirs]);
  });

  test("what fits with what landed here is merged and tested together; a push that origin refuses is told as it says, and published when it lets us", async () => {
    const landed = await mainOf(hub());
    const theirs = await push({ "MORE.md": "by hand\n" }, "More");
    const hook = join(origin, "hooks/pre-receive");
    writeFileSync(hook, "#!/bin/sh\necho 'the branch is closed for the release' >&2\nexit 1\n");
    chmodSync(hook, 0o755);
    const refused = await collect();
    expect(refused).toMatchObject({ code: 1, value: { last: { code: "ORIGIN_REFUSED" } } });
    expect(refused.value.last.because).toContain("closed for the release");
    expect(await mainOf(origin)).toBe(theirs);
    chmodSync(hook, 0o644);
    const { code, value } = await collect();
    expect(code).toBe(0);
    expect([await mainOf(origin), await mainOf(hub())]).toEqual([value.last.commit, value.last.commit]);
    expect(await scene.git(origin, "log", "-1", "--format=%P", "main")).toBe(`${landed} ${theirs}`);
    expect(await scene.git(origin, "ls-tree", "--name-only", "main", "MORE.md", "test/notes.test.js")).toBe("MORE.md\ntest/notes.test.js");
  });

  test("what contradicts stops the collect with nothing moved; merged by hand it is collected", async () => {
    await work(
      "S02-readme",
      { modifies: ["README.md"], creates: ["test/readme.test.js"] },
      `echo agents >> README.md; ${testFile("readme")}`,
      "merged",
    );
    const landed = await mainOf(hub());
    const theirs = await push({ "README.md": "# words\n\nSmall functions on words.\nby hand\n" }, "Readme");

    const stopped = await collect();
    expect(stopped).toMatchObject({ code: 1, value: { landed: [], last: { outcome: "stopped", code: "ORIGIN_CONFLICT" } } });
    expect(stopped.value.last.because).toContain("README.md");
    expect(stopped.value.last.hint).toContain(hub());
    expect([await mainOf(hub()), await mainOf(origin)]).toEqual([landed, theirs]);
    expect(await collectState()).toMatchObject({ kind: "idle", last: { code: "ORIGIN_CONFLICT" } });
    const told = await scene.must<{ waiting: { code: string; next: string }[] }>("report", project);
    expect(told.waiting).toMatchObject([{ code: "collect-stopped" }]);

    await scene.git(mine, "fetch", "-q", hub(), "main");
    await scene.git(mine, "merge", "-q", "--no-edit", "-X", "ours", "FETCH_HEAD");
    await scene.git(mine, "push", "-q", "origin", "main");
    const resolved = await mainOf(origin);
    expect(await collect()).toMatchObject({ code: 0, value: { last: { outcome: "published", commit: resolved } } });
    expect(await mainOf(hub())).toBe(resolved);
    const after = await scene.must<{ waiting: unknown[] }>("report", project);
    expect(after.waiting).toEqual([]);
  });

  test("an origin that is gone stops the collect and nothing else; what merges as text but breaks the tests stops it with nothing moved", async () => {
    const uses = `printf 'import assert from "node:assert/strict";\\nimport { test } from "node:test";\\nimport { slug } from "../src/slug.js";\\ntest("x", () => assert.equal(slug("A B"), "a-b"));\\n' > test/more.test.js`;
    renameSync(origin, `${origin}.away`);
    expect(await collect()).toMatchObject({ code: 1, value: { last: { code: "REPOSITORY_INVALID" } } });
    await work("S03-more", { creates: ["test/more.test.js"] }, uses, "merged");
    renameSync(`${origin}.away`, origin);
    const landed = await mainOf(hub());
    const changed = (library["src/slug.js"] ?? "").replace('"-").replace', '"_").replace');
    const tests = (library["test/slug.test.js"] ?? "").replace("hello-world", "hello_world");
    const theirs = await push({ "src/slug.js": changed, "test/slug.test.js": tests }, "Underscores");
    const stopped = await collect();
    expect(stopped).toMatchObject({ code: 1, value: { last: { outcome: "stopped", code: "ORIGIN_CONFLICT" } } });
    expect([await mainOf(hub()), await mainOf(origin)]).toEqual([landed, theirs]);
    await push({ "src/slug.js": library["src/slug.js"] ?? "", "test/slug.test.js": library["test/slug.test.js"] ?? "" }, "Dashes again");
    expect(await collect()).toMatchObject({ code: 0, value: { last: { outcome: "published" } } });
    expect(await mainOf(origin)).toBe(await mainOf(hub()));
  });
});

describe("others push to origin while work waits for collect", () => {
  let armed: string;
  beforeAll(async () => {
    // Once armed, the next run of the tests pushes something first.
    armed = join(scene.root, "armed");
    const meanwhile = join(scene.root, "meanwhile.sh");
    await makeProject("collected", "on-collect", `sh ${meanwhile} && ${verify}`);
    const person = "git -c user.name=Ada -c user.email=ada@example.org";
    writeFileSync(
      meanwhile,
      `[ -e ${armed} ] || exit 0\nrm ${armed}\ncd ${mine} && echo theirs > NOTES.md && git add -A && ${person} commit -qm Notes && git push -q origin main\n`,
    );
  });

  test("a branch that no longer fits goes back to its task with both sides named", async () => {
    // Its second attempt may be done before the first collect is, which would then land it too.
    const later = 'case "$DISPATCH_ATTEMPT" in *--1) ;; *) hold second ;; esac';
    const change = `${later}\nsed -i 's/Small functions/Little functions/' README.md; echo "by agents" >> README.md; ${testFile("readme")}`;
    await work("S01-readme", { modifies: ["README.md"], creates: ["test/readme.test.js"] }, change, "queued");
    await work("S02-shout", { creates: ["src/shout.js", "test/shout.test.js"] }, addFunction("shout", "return text;"), "queued");
    const theirs = await push({ "README.md": "# words\n\nTiny functions on words.\n" }, "Tiny");
    const first = await collect();
    expect(first).toMatchObject({ code: 0, value: { landed: [`${project}/S02-shout`], last: { outcome: "published" } } });
    scene.release("second");
    await scene.untilTask(`${project}/S01-readme`, "queued");
    const { attempts } = await scene.must<TaskView>("show", `${project}/S01-readme`);
    expect(attempts).toHaveLength(2);
    const prompt = readFileSync(join(scene.root, "answers", `${project}--S01-readme--2.1.prompt`), "utf8");
    expect(prompt).toContain("README.md");
    expect(prompt).toContain(theirs.slice(0, 12));
  });

  test("it lands with its next attempt, and what others push between the look at origin and the push is taken in, tested and published with it", async () => {
    await scene.git(mine, "pull", "-q", "--ff-only", "origin", "main");
    writeFileSync(armed, "");
    const collected = await collect();
    expect(collected).toMatchObject({ code: 0, value: { landed: [`${project}/S01-readme`], last: { outcome: "published" } } });
    expect(await mainOf(origin)).toBe(await mainOf(hub()));
    expect(await scene.git(origin, "show", "main:README.md")).toBe("# words\n\nTiny functions on words.\nby agents");
    expect(await scene.git(origin, "ls-tree", "--name-only", "main", "NOTES.md", "test/readme.test.js")).toBe("NOTES.md\ntest/readme.test.js");
    const theirs = await scene.git(mine, "rev-parse", "main");
    expect(await scene.git(origin, "log", "-1", "--format=%s", theirs)).toBe("Notes");
    expect(await scene.git(origin, "merge-base", "main", theirs)).toBe(theirs);
    const events = (await scene.dispatch("events", "--json")).stdout;
    expect(events).toContain('"origin-moved"');
  });
});

describe("origin is a clone somebody works in", () => {
  test("a dirty worktree stops the collect and stays as it is; clean again, it moves along", async () => {
    project = "cloned";
    const clone = await scene.repository(project, library);
    await declareProject(scene, project, { repo: clone });
    await work(
      "S01-readme",
      { modifies: ["README.md"], creates: ["test/readme.test.js"] },
      `echo agents >> README.md; ${testFile("readme")}`,
      "merged",
    );
    const before = await mainOf(clone);
    writeFileSync(join(clone, "README.md"), "half a thought\n");
    const stopped = await collect();
    expect(stopped).toMatchObject({ code: 1, value: { last: { outcome: "stopped", code: "ORIGIN_DIRTY" } } });
    expect(stopped.value.last.because).toContain(clone);
    expect(stopped.value.last.because).toContain("README.md");
    expect(await mainOf(clone)).toBe(before);
    expect(readFileSync(join(clone, "README.md"), "utf8")).toBe("half a thought\n");
    await scene.git(clone, "checkout", "-q", "--", "README.md");
    writeFileSync(join(clone, "test/readme.test.js"), "in the way\n");
    expect(await collect()).toMatchObject({ code: 1, value: { last: { code: "ORIGIN_DIRTY" } } });
    expect(readFileSync(join(clone, "test/readme.test.js"), "utf8")).toBe("in the way\n");
    await scene.git(clone, "clean", "-qf");
    expect(await collect()).toMatchObject({ code: 0, value: { last: { outcome: "published" } } });
    expect(await scene.git(clone, "status", "--porcelain")).toBe("");
    expect(readFileSync(join(clone, "README.md"), "utf8")).toContain("agents");
  });

  test("a project that nobody started cannot be collected", async () => {
    project = "idle";
    await declareProject(scene, project);
    const ran = await scene.json<ErrorView>("collect", project);
    expect(ran).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
    expect(ran.value.error.hint).toContain(`dispatch start ${project}`);
  });
});

/** Shell that writes a test file which passes. */
function testFile(name: string): string {
  return `printf 'import assert from "node:assert/strict";\\nimport { test } from "node:test";\\ntest("${name}", () => assert.equal("${name}".length, ${name.length}));\\n' > test/${name}.test.js`;
}
