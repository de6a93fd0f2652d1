import { factoryPaths } from "@dispatch/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addFunction, library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import { until } from "./kit/until.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ slots: 1 });
});
afterAll(() => scene.end());

const nodes = (...entries: object[]): void => scene.write(factoryPaths.nodes, JSON.stringify({ nodes: entries }));
const nodeOf = async (id: string) => (await scene.status()).nodes.find((node) => node.id === id);
const troubles = async () => (await scene.status()).troubles.map(({ effect, code }) => [effect, code]);

test("nodes come, change and go while the daemon runs, and a file that is wrong changes nothing", async () => {
  const repo = await scene.repository("words", library);
  await scene.must("project", "add", "words", "--repo", repo, "--verify", verify, "--executor", "by-file");
  for (const name of ["one", "two"]) {
    scene.spec({ id: `S01-${name}`, project: "words", creates: [`src/${name}.js`, `test/${name}.test.js`] });
    scene.answer(`S01-${name}`, `hold ${name}\n${addFunction(name, "return text;")}`);
  }
  await scene.must("start", "words");
  const pid = await scene.daemonPid();
  await until("one session", () => scene.reached("one") || scene.reached("two"));
  expect((await scene.status()).sessions).toHaveLength(1);

  scene.write(factoryPaths.nodes, '{ "nodes": [{ "name": "local", "slots": 0 }] }');
  await until("the problem", async () => (await troubles()).length > 0);
  expect(await troubles()).toEqual([[factoryPaths.nodes, "CONFIG_INVALID"]]);
  expect(await nodeOf("local")).toMatchObject({ slots: 1, used: 1, closed: null });

  nodes({ name: "local", slots: 1 }, { name: "more", slots: 3 });
  await until("both sessions", () => scene.reached("one") && scene.reached("two"));
  expect(await troubles()).toEqual([]);
  const { sessions } = await scene.status();
  expect(new Set(sessions.map(({ node }) => node))).toEqual(new Set(["local", "more"]));

  nodes({ name: "more", slots: 3 });
  await until("the node leaves", async () => (await nodeOf("local"))?.closed?.kind === "leaving");
  for (const name of ["one", "two"]) scene.release(name);
  for (const name of ["one", "two"]) await scene.untilTask(`words/S01-${name}`, "merged");
  await until("the node is gone", async () => (await nodeOf("local")) === undefined);
  expect(await scene.daemonPid()).toBe(pid);
});
