import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AuditReport, RecoveryView } from "@dispatch/controller";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { declareProject } from "./kit/declare-project.ts";
import { addFunction } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";

const parked = "words/S02-half";
let scene: Scene;
let repo: string;
let hub: string;

/** One task is merged, one is parked with work that is staged, changed and untracked; then the daemon is ended. */
beforeAll(async () => {
  scene = await openScene({ slots: 2 });
  hub = join(scene.factory, ".dispatch", "hub", "words.git");
  repo = join(scene.root, "words");
  await declareProject(scene, "words", { executor: "by-stdin" });
  scene.spec({ id: "S01-one", project: "words", creates: ["src/one.js", "test/one.test.js"] });
  scene.spec({ id: "S02-half", project: "words", creates: ["src/half.js", "test/half.test.js"], attempts: 1 });
  scene.answer("S01-one", addFunction("one", "return text;"));
  scene.answer("S02-half", "echo staged > src/half.js; git add src/half.js; echo half > src/half.js; echo 'throw 1' > test/half.test.js");
  await scene.must("start", "words");
  await scene.untilTask("words/S01-one", "merged");
  await scene.untilTask(parked, "parked");
});
afterAll(() => scene.end());

const audit = () => scene.json<AuditReport>("audit");
const kinds = async (): Promise<string[]> => {
  const { code, value } = await audit();
  expect(code).toBe(value.whole ? 0 : 1);
  return value.projects.flatMap(({ violations }) => violations.map(({ kind, about }) => `${kind} ${about}`.trim()));
};

test("while the daemon runs, the audit finds the factory whole", async () => {
  const { code, value } = await audit();
  expect({ code, value }).toMatchObject({
    code: 0,
    value: { whole: true, projects: [{ project: "words", violations: [], notes: [], counts: { merged: 1, landings: 1 } }] },
  });
  expect((await scene.dispatch("audit", "words")).stdout).toContain("whole: nothing is lost");
  expect(await scene.json("audit", "nothing")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
});

describe("with the daemon down", () => {
  beforeAll(async () => {
    await scene.must("down");
  });

  test("the work of a parked task is listed, made a branch in the project and in a clone, and printed as a patch", async () => {
    const view = await scene.must<RecoveryView>("recover", "S02");
    expect(view).toMatchObject({
      task: parked,
      state: "parked",
      attempts: [{ n: 1, state: "exhausted", landed: false, whole: { kind: "salvage", size: { files: 2 } } }],
    });
    const refs = await scene.git(repo, "for-each-ref");
    expect(await scene.must("recover", "S02", "--attempt", "1", "--to", "rescue")).toMatchObject({ branch: "rescue", folder: repo, made: true });
    expect(await scene.must("recover", "S02", "--to", "rescue")).toMatchObject({ made: false });
    expect(await scene.git(repo, "show", "rescue:src/half.js")).toBe("half");
    expect(await scene.git(repo, "show", "rescue^2:src/half.js")).toBe("staged");
    expect((await scene.git(repo, "for-each-ref")).split("\n").filter((line) => !refs.includes(line))).toHaveLength(1);
    expect(await scene.git(repo, "status", "--porcelain")).toBe("");

    const clone = join(scene.root, "a clone");
    await scene.git(scene.root, "clone", "-q", repo, clone);
    await scene.must("recover", "S02", "--to", "rescue/half", "--into", "../a clone");
    expect(await scene.git(clone, "show", "rescue/half:test/half.test.js")).toBe("throw 1");
    const patch = join(scene.root, "half.patch");
    writeFileSync(patch, (await scene.dispatch("recover", "S02", "--patch")).stdout);
    await scene.git(clone, "apply", "--index", patch);
    expect(await scene.git(clone, "write-tree")).toBe(await scene.git(clone, "rev-parse", "rescue/half^{tree}"));
    expect(readFileSync(join(clone, "src/half.js"), "utf8")).toBe("half\n");
  });

  test("the printed commands do the same", async () => {
    const { commands } = await scene.must<{ commands: string[] }>("recover", "S02", "--attempt", "1");
    const [fetch = ""] = commands;
    await scene.git(repo, ...fetch.replaceAll("'", "").split(" ").slice(1));
    expect(await scene.git(repo, "show", "recover/words--S02-half--1:src/half.js")).toBe("half");
    expect((await scene.dispatch("recover", "S02", "--attempt", "1")).stdout).toContain(fetch);
  });

  test("a branch that exists is not moved, and wrong calls say what to do", async () => {
    const main = await scene.git(repo, "rev-parse", "main");
    expect(await scene.json("recover", "S02", "--to", "main")).toMatchObject({ code: 2, value: { error: { code: "USAGE" } } });
    expect(await scene.git(repo, "rev-parse", "main")).toBe(main);
    expect(await scene.json("recover", "S02", "--attempt", "7", "--to", "x")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
    expect(await scene.json("recover", "S02", "--to", "x", "--into", "..")).toMatchObject({
      code: 2,
      value: { error: { code: "REPOSITORY_INVALID" } },
    });
    expect(await scene.json("recover", "S09")).toMatchObject({ code: 1, value: { error: { code: "NOT_FOUND" } } });
  });

  test("the audit finds planted damage, and with it mended the factory is whole again", async () => {
    const attempt = "words--S02-half--1";
    const salvage = await scene.git(hub, "rev-parse", `refs/dispatch/salvage/${attempt}`);
    await scene.git(hub, "update-ref", "-d", `refs/dispatch/salvage/${attempt}`);
    const main = await scene.git(hub, "rev-parse", "main");
    await scene.git(hub, "update-ref", "refs/heads/main", `${main}^`);
    expect((await kinds()).sort()).toEqual(["landing-not-on-main words/S01-one", "merged-not-on-main words/S01-one", `work-lost ${attempt}`]);
    await scene.git(hub, "update-ref", `refs/dispatch/salvage/${attempt}`, salvage);
    const forged = await scene.git(hub, "commit-tree", `${main}^{tree}`, "-p", main, "-m", "nobody tested this");
    await scene.git(hub, "update-ref", "refs/heads/main", forged);
    expect(await kinds()).toEqual([`main-untested ${forged}`]);
    await scene.git(hub, "update-ref", "refs/heads/main", main);

    await scene.git(hub, "update-ref", "refs/dispatch/result/words--S77-x--1", main);
    const { code, value } = await audit();
    expect({ code, value }).toMatchObject({
      code: 0,
      value: { whole: true, projects: [{ violations: [], notes: [{ kind: "unknown-attempt", about: "words--S77-x--1" }] }] },
    });
    await scene.git(hub, "update-ref", "-d", "refs/dispatch/result/words--S77-x--1");
  });

  test("without a ledger that can be read, the hub still gives the work back", async () => {
    const ledger = join(scene.factory, ".dispatch", "ledger.sqlite");
    const bytes = readFileSync(ledger);
    for (const end of ["-wal", "-shm"]) if (existsSync(ledger + end)) rmSync(ledger + end);
    writeFileSync(ledger, "no ledger at all".repeat(500));
    const told = await scene.json<RecoveryView>("recover", "S02");
    writeFileSync(ledger, bytes);
    expect(told).toMatchObject({
      code: 0,
      value: { task: parked, state: null, attempts: [{ n: 1, state: "unknown", whole: { size: { commits: 2 } } }] },
    });
    expect(told.stderr).toContain("what the hubs tell by themselves");
    expect(await kinds()).toEqual([]);
  });
});
