import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Finding, ParkReason } from "@dispatch/core";
import { factoryPaths, type TaskView } from "@dispatch/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addFunction, library, verify } from "./kit/library.ts";
import { openScene, type Scene } from "./kit/scene.ts";
import type { SpecInput } from "./kit/write-spec.ts";

const megabyte = 1_000_000;
const flood = `head -c ${100 * megabyte} /dev/zero | tr '\\0' 'x'`;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ slots: 4 });
});
afterAll(() => scene.end());

/** Starts a project of its own with one task. */
async function startOne(project: string, verify: unknown, script: string, more: Partial<SpecInput> = {}): Promise<string> {
  const repo = await scene.repository(project, library);
  await scene.must("project", "add", project, "--repo", repo, "--executor", "by-file");
  scene.configure(["projects", project, "verify"], verify);
  scene.configure(["projects", project, "rounds"], 1);
  scene.spec({ id: "S01-one", project, creates: ["src/one.js", "test/one.test.js"], attempts: 1, ...more });
  scene.answer("S01-one", script);
  await scene.must("start", project);
  return `${project}/S01-one`;
}

async function parked(id: string): Promise<ParkReason> {
  await scene.untilTask(id, "parked");
  const { task } = await scene.must<TaskView>("show", id);
  if (task.state.kind !== "parked") throw new Error(task.state.kind);
  expect(task.state.because.text).not.toBe("");
  const { waiting } = await scene.must<{ waiting: { task: string; next: string }[] }>("report", task.project);
  expect(waiting).toMatchObject([{ task: id }]);
  expect(waiting[0]?.next).not.toBe("");
  return task.state.because;
}

const blocking = (because: ParkReason): Finding[] => because.findings.filter((finding) => finding.severity === "block");
const good = addFunction("one", "return text;");

test("a verify command that does not exist parks the task and says that nothing was tested", async () => {
  const because = await parked(await startOne("absent", "no-such-program --all", good));
  expect(because.code).toBe("rounds-exhausted");
  expect(blocking(because).map((finding) => finding.gate)).toEqual(["G01"]);
  expect(blocking(because)[0]?.found).toContain("no-such-program");
});

test("one that hangs is ended after its time, with all it started", async () => {
  const because = await parked(await startOne("hangs", { run: "sleep 600 & sleep 600", timeout_s: 1 }, good));
  expect(because.code).toBe("rounds-exhausted");
  const { attempts } = await scene.task("hangs/S01-one");
  const verifyMs = attempts[0]?.rounds[0]?.checked?.verifyMs ?? 0;
  expect(verifyMs).toBeGreaterThanOrEqual(1000);
  expect(verifyMs).toBeLessThan(20_000);
});

test("100 MB from verify command and agent are read to the end and kept in part", async () => {
  const id = await startOne("loud", `${flood}; ${verify}`, `${flood}\n${good}`);
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
  scene.configure(["executors", "ghost"], { command: ["/no/such/agent", "{promptFile}"], prompt: "file" });
  const because = await parked(await startOne("ghost", verify, good, { executor: "ghost", attempts: 3 }));
  expect(because.code).toBe("agent-unusable");
  expect(because.text).toContain("/no/such/agent");
  expect((await scene.task("ghost/S01-one")).attempts).toHaveLength(1);
});

test("an agent that hangs is ended after its time and its work is kept", async () => {
  scene.configure(["executors", "slow"], { ...agentOf("by-file"), timeout_s: 1 });
  const because = await parked(await startOne("slow", "exit 1", `echo 'export const half = 1;' > src/one.js\nsleep 600`, { executor: "slow" }));
  const { hub } = await scene.task("slow/S01-one");
  expect(await scene.git(hub, "show", `${because.salvage}:src/one.js`)).toContain("half");
});

test("a link out of the repository, absolute or by way of .., is refused by the gates", async () => {
  const links = "ln -s ../../../outside src/up.js; ln -s /etc/passwd src/etc.js";
  const because = await parked(await startOne("links", verify, `${good}\n${links}`, { modifies: ["src"], creates: ["test/one.test.js"] }));
  const refused = blocking(because).map((finding) => [finding.gate, finding.path]);
  expect(refused).toContainEqual(["G03", "src/up.js"]);
  expect(refused).toContainEqual(["G03", "src/etc.js"]);
});

test("an agent that claims to be done and changed nothing is not believed; nor is one that leaves a mark for later", async () => {
  const empty = await parked(await startOne("empty", verify, "echo 'all done, everything works'"));
  expect(blocking(empty).map((finding) => finding.gate)).toEqual(["G04"]);
  const later = await parked(await startOne("later", verify, `${good}\necho '// TO${"DO"}: the rest' >> src/one.js`));
  expect(blocking(later).map((finding) => finding.gate)).toEqual(["G02"]);
});

test("a tree with files at paths outside of the spec is refused with the paths named", async () => {
  const because = await parked(await startOne("wide", verify, `${good}\necho more >> README.md\nrm src/slug.js test/slug.test.js\n: > src/index.js`));
  const paths = blocking(because).filter((finding) => finding.gate === "G03");
  expect(paths.map((finding) => finding.path).sort()).toEqual(["README.md", "src/index.js", "src/slug.js", "test/slug.test.js"]);
});

function agentOf(name: string): object {
  return { command: [join(scene.root, "agents", `${name}.sh`), "{promptFile}"], prompt: "file", env: { ANSWERS: join(scene.root, "answers") } };
}
