import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addFunction, library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";

interface Collected {
  landed: readonly string[];
  last: { outcome: string; commit?: string; url?: string; code?: string; hint?: string };
}

const forge = resolve(import.meta.dirname, "../../packages/git/src/testing/fake-forge.mjs");
const repo = "https://github.com/acme/shop.git";

let scene: Scene;
let origin: string;
let programs: string;
beforeAll(async () => {
  scene = await openScene({ slots: 2 });
  programs = join(scene.root, "bin");
  mkdirSync(programs);
  scene.env["PATH"] = [programs, dirname(process.execPath), scene.env["PATH"]].join(":");
  origin = join(scene.root, "shop.git");
  await scene.git(scene.root, "clone", "-q", "--bare", await scene.repository("source", library), origin);
  writeFileSync(join(scene.home, ".gitconfig"), `[url "${origin}"]\n\tinsteadOf = ${repo}\n`);
});
afterAll(() => scene.end());

const requests = () => JSON.parse(readFileSync(join(programs, "requests.json"), "utf8")) as { number: number; title: string; body: string }[];
const collect = () => scene.json<Collected>("collect", "shop");

async function land(id: string, name: string): Promise<void> {
  scene.spec({ id, project: "shop", creates: [`src/${name}.js`, `test/${name}.test.js`] });
  scene.answer(id, addFunction(name, "return text.trim();"));
  await scene.must("start", "shop");
  await scene.untilTask(`shop/${id}`, "merged");
}

test("a collect says what is missing for a pull request, then opens one and keeps it up to date, and people merge it", async () => {
  await scene.must("project", "add", "shop", "--repo", repo, "--verify", verify, "--executor", "by-file");
  scene.configure(["projects", "shop", "publish"], "pull-request");
  const base = await scene.git(origin, "rev-parse", "main");
  await land("S01-trim", "trim");
  const missing = await collect();
  expect(missing).toMatchObject({
    code: 1,
    value: { last: { outcome: "stopped", code: "TOOL_MISSING", hint: expect.stringContaining("gh auth login") } },
  });

  copyFileSync(forge, join(programs, "gh"));
  chmodSync(join(programs, "gh"), 0o755);
  const url = "https://github.com/acme/shop/pull/1";
  const opened = await collect();
  expect(opened).toMatchObject({ code: 0, value: { last: { outcome: "published", url } } });
  expect(await scene.git(origin, "rev-parse", "main")).toBe(base);
  expect(await scene.git(origin, "rev-parse", "dispatch/main")).toBe(opened.value.last.commit);
  expect((await scene.dispatch("status")).stdout).toContain(url);
  expect((await scene.dispatch("events")).stdout).toContain(`by ${url}`);

  await land("S02-tidy", "tidy");
  expect(await collect()).toMatchObject({ code: 0, value: { last: { url } } });
  expect(requests()).toMatchObject([{ number: 1, title: "Land 2 specs" }]);
  expect(requests()[0]?.body).toMatch(/^- shop\/S01-trim: .+\n- shop\/S02-tidy: .+$/m);

  const merged = await scene.git(origin, "rev-parse", "dispatch/main");
  await scene.git(origin, "update-ref", "refs/heads/main", merged);
  const end = await collect();
  expect(end).toMatchObject({ code: 0, value: { last: { outcome: "published", commit: merged } } });
  expect(end.value.last.url).toBeUndefined();
});
