import type { WhyView } from "@dispatch/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { declareProject } from "./kit/declare-project.ts";
import { addFunction } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { until } from "./kit/until.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ slots: 2 });
});
afterAll(() => scene.end());

const readmeTest = `printf 'import assert from "node:assert/strict";\\nimport { test } from "node:test";\\ntest("a title", () => assert.equal("words".length, 5));\\n' > test/readme.test.js`;

test("a conflict between a task that is done and one whose agent is at work is shown before it comes, and goes when its cause goes", async () => {
  await declareProject(scene, "words", { landing: "on-collect" });
  scene.spec({ id: "S03-readme", project: "words", modifies: ["README.md"], creates: ["test/readme.test.js"] });
  scene.spec({ id: "S05-shout", project: "words", creates: ["src/shout.js", "test/shout.test.js"] });
  scene.answer("S03-readme", `echo three >> README.md; ${readmeTest}`);
  scene.answer(
    "S05-shout",
    `if [ "$DISPATCH_ROUND" = 1 ]; then echo five >> README.md; else hold second; git checkout -q -- README.md; fi
${addFunction("shout", "return text.toUpperCase();")}`,
  );
  await scene.must("start", "words");
  await scene.untilTask("words/S03-readme", "queued");
  await until("the agent of S05 is in its second round", async () => scene.reached("second") || undefined);
  const coming = await until("the conflict is forecast", async () => {
    const { forecast } = await scene.status();
    return forecast.conflicts.length > 0 ? forecast.conflicts : undefined;
  });
  const text = "S03-readme and S05-shout both change README.md (conflict in text): S05-shout will have to be redone on top of S03-readme";
  expect(coming).toEqual([{ task: "words/S05-shout", with: "words/S03-readme", paths: ["README.md"], kind: "text", text }]);
  expect((await scene.dispatch("status")).stdout).toContain(`coming: ${text}`);
  expect((await scene.dispatch("why", "words/S05-shout")).stdout).toContain(text);
  expect((await scene.must<WhyView>("why", "words/S03-readme")).forecast).toEqual(coming);

  scene.release("second");
  await scene.untilTask("words/S05-shout", "queued");
  await until("the forecast is clear", async () => (await scene.status()).forecast.conflicts.length === 0 || undefined);
  const hub = `${scene.factory}/.dispatch/hub/words.git`;
  await until("its checkpoint is gone", async () => (await scene.git(hub, "for-each-ref", "refs/dispatch/checkpoint")) === "" || undefined);
  expect((await scene.status()).tasks.map(({ state }) => state)).toEqual(["queued", "queued"]);
});
