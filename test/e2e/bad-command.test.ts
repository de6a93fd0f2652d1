import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Finding, ParkReason } from "@dispatch/core";
import { factoryPaths, type ReportView, type TaskView } from "@dispatch/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addFunction, library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import type { SpecInput } from "./kit/write-spec.ts";

const megabyte = 1_000_000;
const flood = `head -c ${100 * megabyte} /dev/zero | tr '\\0' 'x'`;

let scene: Scene;
let repo: string;
beforeAll(async () => {
  scene = await openScene({ slots: 4 });
  repo = await scene.repository("words", library);
  scene.configure(["executors", "ghost"], { command: ["/no/such/agent", "{promptFile}"], prompt: "file" });
  scene.configure(["executors", "slow"], { ...agentOf("by-file"), timeout_s: 1 });
  await begin("words", verify);
});
afterAll(() => scene.end());

/** Begins a project whose tasks have one round. */
async function begin(project: string, verify: unknown): Promise<void> {
  const executor = "by-file";
  scene.configure(["projects", project], { repo, verify, executor, rounds: 1 });
  await scene.must("start", project);
}

/** Gives a project a task that writes src/NAME.js and its test. */
async function give(project: string, name: string, script: string, more: Partial<SpecInput> = {}): Promise<string> {
  const id = `S01-${name}`;
  scene.spec({ id, project, creates: [`src/${name}.js`, `test/${name}.test.js`], attempts: 1, ...more });
  scene.answer(id, script);
  expect(await scene.ask("POST", `/v1/projects/${project}/feed`)).toMatchObject({ status: 200 });
  return `${project}/${id}`;
}

async function parked(id: string): Promise<ParkReason> {
  const { project } = await scene.untilTask(id, "parked");
  const { task } = await scene.task(id);
  if (task.state.kind !== "parked") throw new Error(task.state.kind);
  expect(task.state.because.text).not.toBe("");
  const { body } = await scene.ask("GET", `/v1/projects/${project}/report`);
  const { waiting } = JSON.parse(body) as ReportView;
  const mine = waiting.filter((one) => one.task === id);
  expect(mine).toHaveLength(1);
  expect(mine[0]?.next).not.toBe("");
  return task.state.because;
}

const blocking = (because: ParkReason): Finding[] => because.findings.filter((finding) => finding.severity === "block");
const good = (name: string): string => addFunction(name, "return text;");

test("a verify command that does not exist parks the task and says that nothing was tested", async () => {
  await begin("absent", "no-such-program --all");
  const id = await give("absent", "one", good("one"));
  const because = await parked(id);
  expect((await scene.must<TaskView>("show", id)).task.state).toMatchObject({ kind: "parked", because: { text: because.text } });
  expect((await scene.must<ReportView>("report", "absent")).waiting).toMatchObject([{ task: id }]);
  expect(because.code).toBe("rounds-exhausted");
  expect(blocking(because).map((finding) => finding.gate)).toEqual(["G01"]);
  expect(blocking(because)[0]?.found).toContain("no-such-program");
});

test("one that hangs is ended after its time, with all it started", async () => {
  await begin("hangs", { run: "sleep 600 & sleep 600", timeout_s: 1 });
  const because = await parked(await give("hangs", "one", good("one")));
  expect(because.code).toBe("rounds-exhausted");
  const { attempts } = await scene.task("hangs/S01-one");
  const verifyMs = attempts[0]?.rounds[0]?.checked?.verifyMs ?? 0;
  expect(verifyMs).toBeGreaterThanOrEqual(1000);
  expect(verifyMs).toBeLessThan(20_000);
});

test("100 MB from verify command and agent are read to the end and kept in part", async () => {
  await begin("loud", `${flood}; ${verify}`);
  const id = await give("loud", "one", `${flood}\n${good("one")}`);
  await scene.untilTask(id, "merged");
  const state = join(scene.factory, factoryPaths.state);
  expect(statSync(join(scene.factory, factoryPaths.ledger)).size).toBeLessThan(5 * megabyte);
  const logs = readdirSync(join(state, "node/local/attempts/loud--S01-one--1"), { withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of logs) expect(statSync(join(parentPath, name)).size).toBeLessThan(60 * megabyte);
  const pid = await scene.daemonPid();
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  expect(Number(resident)).toBeLessThan(400_000);
  expect((await scene.dispatch("logs", id, "--verify")).code).toBe(0);
});

test("an agent program that does not exist parks the task at once, whose executor is named", async () => {
  const id = await give("words", "ghost", good("ghost"), { executor: "ghost", attempts: 3 });
  const because = await parked(id);
  expect(because.code).toBe("agent-unusable");
  expect(because.text).toContain("/no/such/agent");
  expect((await scene.task(id)).attempts).toHaveLength(1);
});

test("an agent that hangs is ended after its time and its work is kept", async () => {
  await begin("slow", "exit 1");
  const id = await give("slow", "slow", `echo 'export const half = 1;' > src/slow.js\nsleep 600`, { executor: "slow" });
  const because = await parked(id);
  const { hub } = await scene.task(id);
  expect(await scene.git(hub, "show", `${because.salvage}:src/slow.js`)).toContain("half");
});

test("a link out of the repository, absolute or by way of .., is refused by the gates", async () => {
  const links = "ln -s ../../../outside src/up.js; ln -s /etc/passwd src/etc.js";
  const paths = { modifies: ["src"], creates: ["test/links.test.js"] };
  const because = await parked(await give("words", "links", `${good("links")}\n${links}`, paths));
  const refused = blocking(because).map((finding) => [finding.gate, finding.path]);
  expect(refused).toContainEqual(["G03", "src/up.js"]);
  expect(refused).toContainEqual(["G03", "src/etc.js"]);
});

test("an agent that claims to be done and changed nothing is not believed; nor is one that leaves a mark for later", async () => {
  const empty = await parked(await give("words", "empty", "echo 'all done, everything works'"));
  expect(blocking(empty).map((finding) => finding.gate)).toEqual(["G04"]);
  const later = await parked(await give("words", "later", `${good("later")}\necho '// TO${"DO"}: the rest' >> src/later.js`));
  expect(blocking(later).map((finding) => finding.gate)).toEqual(["G02"]);
});

test("a tree with files at paths outside of the spec is refused with the paths named", async () => {
  const script = `${good("wide")}\necho more >> README.md\nrm src/slug.js test/slug.test.js\n: > src/index.js`;
  const because = await parked(await give("words", "wide", script));
  const paths = blocking(because).filter((finding) => finding.gate === "G03");
  expect(paths.map((finding) => finding.path).sort()).toEqual(["README.md", "src/index.js", "src/slug.js", "test/slug.test.js"]);
});

function agentOf(name: string): object {
  return { command: [join(scene.root, "agents", `${name}.sh`), "{promptFile}"], prompt: "file", env: { ANSWERS: join(scene.root, "answers") } };
}
