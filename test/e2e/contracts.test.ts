import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StoredEvent } from "@dispatch/core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { addFunction, library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { until } from "./kit/until.ts";
import type { SpecInput } from "./kit/write-spec.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ slots: 3 });
});
afterAll(() => scene.end());

const contract = (shout: string): string =>
  `# Shared contract\n\n## type Shout\n\n${shout}\n\n\`\`\`json\n{ "text": "HELLO" }\n\`\`\`\n\n## type Whisper\n\nIn small letters.\n\n\`\`\`json\n{ "text": "hello" }\n\`\`\`\n`;
const before = contract("In capitals.");
const after = contract("In capitals, with a mark of exclamation.");
const shoutEntry = "SHARED_CONTEXT.md#type Shout";

let n = 0;
let project: string;
let mine: string;
const id = (spec: string): string => `${project}/${spec}`;

beforeEach(async () => {
  n += 1;
  project = `words${n}`;
  const source = await scene.repository(`${project}-source`, { ...library, "SHARED_CONTEXT.md": before });
  const origin = join(scene.root, `${project}.git`);
  mine = join(scene.root, `${project}-mine`);
  await scene.git(scene.root, "clone", "-q", "--bare", source, origin);
  await scene.git(scene.root, "clone", "-q", origin, mine);
  scene.configure(["projects", project], { repo: origin, verify, executor: "by-file", contracts: ["SHARED_CONTEXT.md"] });
});

const adds = (spec: string, name: string, more: Partial<SpecInput> = {}): void => {
  scene.spec({ id: spec, project, creates: [`src/${name}.js`, `test/${name}.test.js`], ...more });
};
const promptOf = (spec: string, attempt: number, round = 1): string =>
  readFileSync(join(scene.root, "answers", `${project}--${spec}--${attempt}.${round}.prompt`), "utf8");
const kept = (name: string): string => readFileSync(join(scene.root, "answers", name), "utf8");

/** Waits in the worktree until a notice is there, and keeps what it says. */
const readNotice = (name: string): string =>
  `while [ ! -e "$DISPATCH_NOTICES/1.md" ]; do sleep 0.05; done\ncat "$DISPATCH_NOTICES/1.md" > "$ANSWERS/${name}"\n`;

async function pushContract(text: string): Promise<string> {
  await scene.git(mine, "pull", "-q", "--ff-only", "origin", "main");
  const commit = await scene.commit(mine, { "SHARED_CONTEXT.md": text }, "Another contract");
  await scene.git(mine, "push", "-q", "origin", "main");
  return commit;
}

async function events(): Promise<StoredEvent[]> {
  const { stdout } = await scene.dispatch("events", "--json");
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as StoredEvent)
    .filter(({ event }) => JSON.stringify(event).includes(project));
}

test("agents at work see that origin brought another contract; what was built on the old words is refused, and the second attempt lands", async () => {
  adds("S01-shout", "shout", { more: [`contract: ["${shoutEntry}"]`] });
  adds("S02-whisper", "whisper", { more: [`contract: ["SHARED_CONTEXT.md#type Whisper"]`] });
  const shout = addFunction("shout", "return text.toUpperCase();");
  scene.answer(
    "S01-shout",
    `case $DISPATCH_ATTEMPT in *--1) : > "$ANSWERS/${project}-shout.reached"\n${readNotice(`${project}-shout`)};; esac\n${shout}`,
  );
  scene.answer(
    "S02-whisper",
    `: > "$ANSWERS/${project}-whisper.reached"\n${readNotice(`${project}-whisper`)}\n${addFunction("whisper", "return text.toLowerCase();")}`,
  );
  await scene.must("start", project);
  await until("both agents are at work", () => scene.reached(`${project}-shout`) && scene.reached(`${project}-whisper`));
  const first = promptOf("S01-shout", 1);
  expect(first.indexOf("In capitals.")).toBeGreaterThan(0);
  expect(first.indexOf("In capitals.")).toBeLessThan(first.indexOf("## The spec"));
  expect(first).not.toContain("In small letters.");

  const commit = await pushContract(after);
  await scene.must("collect", project);
  await scene.untilTask(id("S01-shout"), "merged");
  await scene.untilTask(id("S02-whisper"), "merged");

  expect(kept(`${project}-shout`)).toContain(`Your spec cites ${shoutEntry}`);
  for (const words of ["In capitals.", "mark of exclamation", commit]) expect(kept(`${project}-shout`)).toContain(words);
  expect(kept(`${project}-whisper`)).toContain("Your spec cites none");

  const { attempts } = await scene.task(id("S01-shout"));
  expect(attempts.map((attempt) => [attempt.n, attempt.notices])).toEqual([
    [1, [commit]],
    [2, []],
  ]);
  const second = promptOf("S01-shout", 2);
  expect(second.indexOf("mark of exclamation")).toBeLessThan(second.indexOf("## The spec"));
  expect(second).toContain("Why the last attempt did not land");
  const log = await events();
  const refused = log.flatMap(({ event }) => (event.type === "candidate-refused" ? [event] : []));
  expect(refused).toMatchObject([{ task: id("S01-shout"), findings: [{ gate: "landing", severity: "block", path: "SHARED_CONTEXT.md" }] }]);
  const changed = log.flatMap(({ event }) => (event.type === "contract-changed" ? [event] : []));
  expect(changed).toMatchObject([{ commit, entries: [{ file: "SHARED_CONTEXT.md", anchor: "type Shout", change: "changed" }] }]);
  expect((await scene.task(id("S02-whisper"))).attempts).toHaveLength(1);
  const noted = log.flatMap(({ event }) => (event.type === "car-built" && event.members.includes(id("S02-whisper")) ? [event.notes] : []));
  expect(noted[0]).toMatchObject([{ gate: "landing", severity: "note" }]);
  expect(await scene.git(join(scene.factory, ".dispatch/hub", `${project}.git`), "ls-tree", "-r", "--name-only", "main")).not.toContain("notices");
  expect((await scene.dispatch("show", id("S01-shout"))).stdout).toContain(commit.slice(0, 9));
  expect((await scene.dispatch("events")).stdout).toContain("SHARED_CONTEXT.md#type Shout changed");
});

test("a task that changes the contract may; who waited for it builds on what it wrote", async () => {
  scene.spec({ id: "S01-contract", project, modifies: ["SHARED_CONTEXT.md"], creates: ["test/contract.test.js"], type: "contract" });
  adds("S02-shout", "shout", { dependsOn: ["S01-contract"], more: [`contract: ["${shoutEntry}"]`] });
  const proof = `printf 'import assert from "node:assert/strict";\\nimport { test } from "node:test";\\ntest("contract", () => assert.equal(1, 1 * 1));\\n' > test/contract.test.js`;
  scene.answer("S01-contract", `sed -i 's/In capitals\\./In capitals, twice./' SHARED_CONTEXT.md\n${proof}`);
  scene.answer("S02-shout", addFunction("shout", "return text.toUpperCase().repeat(2);"));
  await scene.must("start", project);
  await scene.untilTask(id("S02-shout"), "merged");
  expect(promptOf("S01-contract", 1)).toContain("Your spec has you change SHARED_CONTEXT.md");
  expect(promptOf("S02-shout", 1)).toContain("In capitals, twice.");
  expect((await scene.task(id("S02-shout"))).attempts).toHaveLength(1);
});

test("a spec whose entry is gone when its turn comes is parked before its agent runs, and says what to do", async () => {
  adds("S01-shout", "shout");
  adds("S02-whisper", "whisper", { dependsOn: ["S01-shout"], more: [`contract: ["SHARED_CONTEXT.md#type Whisper"]`] });
  scene.answer("S01-shout", `hold ${project}\n${addFunction("shout", "return text;")}`);
  scene.answer("S02-whisper", `: > "$ANSWERS/${project}-ran.reached"\n${addFunction("whisper", "return text;")}`);
  await scene.must("start", project);
  await until("the first agent is at work", () => scene.reached(project));
  await pushContract(before.slice(0, before.indexOf("## type Whisper")));
  await scene.must("collect", project);
  scene.release(project);
  await scene.untilTask(id("S02-whisper"), "parked");
  const { state } = (await scene.task(id("S02-whisper"))).task;
  if (state.kind !== "parked") throw new Error(state.kind);
  for (const word of ["type Whisper", "type Shout", `dispatch retry ${id("S02-whisper")}`]) expect(state.because.text).toContain(word);
  expect(scene.reached(`${project}-ran`)).toBe(false);
  await pushContract(before);
  await scene.must("collect", project);
  await scene.must("retry", id("S02-whisper"));
  await scene.untilTask(id("S02-whisper"), "merged");
});
