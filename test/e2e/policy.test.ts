import type { ErrorView, FeedView } from "@dispatch/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addFunction, library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ slots: 2 });
});
afterAll(() => scene.end());

const creates = ["src/one.js", "test/one.test.js"];
const check = 'verify: "./check.sh"\n';
const checkScript = "#!/bin/sh\nset -e\n[ ! -e src/forbidden.js ] || { echo 'not ok 1 - forbidden'; exit 1; }\nnode test.js\n";

async function addProject(project: string, files: Readonly<Record<string, string>>, command: string): Promise<string> {
  const repo = await scene.repository(project, { ...library, ...files });
  await scene.must("project", "add", project, "--repo", repo, "--verify", command, "--executor", "by-file");
  return repo;
}

async function parkedFindings(id: string): Promise<{ gate: string; path?: string; found: string }[]> {
  await scene.untilTask(id, "parked");
  const { state } = (await scene.task(id)).task;
  if (state.kind !== "parked") throw new Error(state.kind);
  return [...state.because.findings];
}

test("verify of the repository's .dispatch.yaml wins over the factory's, and is run on what lands", async () => {
  await addProject("own", { ".dispatch.yaml": check, "check.sh": checkScript }, "exit 7");
  scene.spec({ id: "S01-one", project: "own", creates });
  scene.answer("S01-one", addFunction("one", "return text;"));
  await scene.must("start", "own");
  await scene.untilTask("own/S01-one", "merged");
  expect((await scene.must<{ text: string }>("logs", "own/S01-one", "--verify")).text).toContain("what is no text is refused");
});

test("an agent's change of it has no effect on its own tests and is refused", async () => {
  await addProject("sly", { ".dispatch.yaml": `${check}rounds: 1\n`, "check.sh": checkScript }, verify);
  scene.spec({ id: "S01-one", project: "sly", creates: [...creates, "src/forbidden.js"], attempts: 1 });
  scene.answer(
    "S01-one",
    `${addFunction("one", "return text;")}\necho 'export const x = 1;' > src/forbidden.js\nprintf 'verify: "node test.js"\\ngates: { scope_allow: ["**"] }\\n' > .dispatch.yaml`,
  );
  await scene.must("start", "sly");
  const findings = await parkedFindings("sly/S01-one");
  expect(findings.map((finding) => finding.gate)).toContain("G01");
  expect(findings).toContainEqual(expect.objectContaining({ gate: "G03", path: ".dispatch.yaml" }));
});

test("no spec may own it: lint and feed say so, and nothing is taken in", async () => {
  await addProject("owner", {}, verify);
  scene.spec({ id: "S01-policy", project: "owner", creates: [".dispatch.yaml"] });
  const before = (await scene.status()).tasks.length;
  const started = await scene.json<ErrorView>("start", "owner");
  expect(started).toMatchObject({ code: 1, value: { error: { code: "SPEC_INVALID" } } });
  expect(started.value.error.facts["problems"]).toMatchObject([{ file: "specs/pending/S01-policy.md", id: "MOD002", severity: "error" }]);
  expect((await scene.status()).tasks).toHaveLength(before);
  expect(scene.read("specs/pending/S01-policy.md")).toContain("S01-policy");
  const linted = await scene.json<{ problems: { id: string }[] }>("lint");
  expect(linted).toMatchObject({ code: 1, value: { problems: [{ id: "MOD002" }] } });
});

test("one that is broken at the base stops the start with its place; mended at origin, the lead goes on by collect", async () => {
  const repo = await addProject("broken", { ".dispatch.yaml": `verify: ${verify}\nround: 2\n` }, verify);
  scene.spec({ id: "S01-one", project: "broken", creates });
  scene.answer("S01-one", addFunction("one", "return text;"));
  const started = await scene.json<ErrorView>("start", "broken");
  expect(started).toMatchObject({ code: 2, value: { error: { code: "CONFIG_INVALID" } } });
  expect(started.value.error.facts["problems"]).toMatchObject([{ path: "round" }]);
  expect((await scene.status()).tasks.some((row) => row.project === "broken")).toBe(false);
  await scene.commit(repo, { ".dispatch.yaml": `verify: ${verify}\nrounds: 2\n` }, "Mend the policy");
  await scene.must("collect", "broken");
  expect(await scene.must<FeedView>("start", "broken")).toMatchObject({ planned: ["broken/S01-one"] });
  await scene.untilTask("broken/S01-one", "merged");
});

test("a project without any verify command takes no spec in", async () => {
  const repo = await scene.repository("untested", library);
  await scene.must("project", "add", "untested", "--repo", repo, "--executor", "by-file");
  scene.spec({ id: "S01-one", project: "untested", creates });
  const started = await scene.json<ErrorView>("start", "untested");
  expect(started).toMatchObject({ code: 1, value: { error: { code: "SPEC_INVALID" } } });
  expect(started.value.error.facts["problems"]).toMatchObject([{ id: "VER001" }]);
});
