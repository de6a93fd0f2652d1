import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openScene, type Scene } from "../e2e/kit/scene.ts";
import { eventually } from "../kit/eventually.ts";
import { makeSshLab, type SshLab, type SshMachine } from "../kit/real-sshd.ts";

/** `dispatch node bootstrap` against a real sshd whose machine has every tool already, and a git that can be held. */
const cli = resolve(import.meta.dirname, "../../packages/cli/dist/bundle/dispatch.js");
let lab: SshLab;
let machine: SshMachine;
let scene: Scene;
let hold: string;

beforeEach(async () => {
  lab = makeSshLab();
  const slow = join(lab.dir, "slow");
  hold = join(lab.dir, "hold");
  mkdirSync(slow);
  const rest = process.env["PATH"] ?? "";
  const text = `#!/bin/sh\n: >"${hold}ing"\nwhile [ -e "${hold}" ]; do sleep 0.05; done\nPATH=${JSON.stringify(rest)} exec git "$@"\n`;
  writeFileSync(join(slow, "git"), text);
  chmodSync(join(slow, "git"), 0o755);
  machine = await lab.add("far", { path: `${slow}:${rest}` });
  scene = await openScene();
  scene.env["DISPATCH_SSH_CONFIG"] = lab.configFile;
});

afterEach(async () => {
  rmSync(hold, { force: true });
  await scene.end();
  await lab.close();
});

interface Told {
  outcome?: string;
  registered?: string;
  info?: { agents: object };
  error?: { code: string; hint: string | null };
}

const bootstrap = (...args: string[]) => scene.json<Told>("node", "bootstrap", "far", "--slots", "3", "--fingerprint", machine.hostKey(), ...args);
const names = (): string[] => (JSON.parse(scene.read("nodes.json")) as { nodes: { name: string }[] }).nodes.map(({ name }) => name);

/** Starts it and waits until the machine is in the middle of it. */
async function startHeld(): Promise<{ signal(name: NodeJS.Signals): void; ended: Promise<{ code: number | null; stdout: string }> }> {
  writeFileSync(hold, "");
  const args = [cli, "node", "bootstrap", "far", "--slots", "3", "--fingerprint", machine.hostKey(), "--json"];
  const child = spawn(process.execPath, args, { cwd: scene.factory, env: scene.env, stdio: ["ignore", "pipe", "ignore"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  const ended = new Promise<{ code: number | null; stdout: string }>((done) => child.once("close", (code) => done({ code, stdout })));
  await eventually("the script on the machine", () => existsSync(`${hold}ing`));
  return { signal: (name) => void child.kill(name), ended };
}

test("Ctrl-C in the middle leaves nothing half done, and the same command goes on", async () => {
  const held = await startHeld();
  held.signal("SIGINT");
  expect((await held.ended).code).toBe(130);
  expect(names()).toEqual(["local"]);
  rmSync(hold);
  expect(await bootstrap()).toMatchObject({ code: 0, value: { outcome: "ready", registered: "added" } });
  expect(names()).toEqual(["local", "far"]);
});

test("a link that is cut in the middle is told as that, and the same command goes on", async () => {
  const held = await startHeld();
  machine.cut();
  const { code, stdout } = await held.ended;
  expect([code, (JSON.parse(stdout) as Told).error?.code]).toEqual([1, "NODE_UNREACHABLE"]);
  rmSync(hold);
  expect(await bootstrap()).toMatchObject({ code: 0, value: { registered: "added" } });
});

test("a key goes to the machine by its standard input when it is named, and stays away when it is not", async () => {
  const agent = join(machine.home, ".dispatch/agents/codex/node_modules/@openai/codex");
  mkdirSync(agent, { recursive: true });
  writeFileSync(join(agent, "package.json"), '{\n  "version": "1.2.3"\n}\n');
  const codex = ["--mode", "codex", "--agents", "codex@1.2.3"];
  const kept = join(machine.home, ".dispatch/env");
  const key = "sk-1234567890abcdef";
  scene.env["OPENAI_API_KEY"] = key;
  expect(await bootstrap(...codex)).toMatchObject({ code: 0, value: { info: { agents: { codex: "1.2.3" } } } });
  expect(existsSync(kept)).toBe(false);
  delete scene.env["OPENAI_API_KEY"];
  expect(await bootstrap(...codex, "--key", "OPENAI_API_KEY")).toMatchObject({ code: 2, value: { error: { code: "USAGE" } } });

  writeFileSync(join(scene.factory, "a key"), `${key}\n`);
  const put = await bootstrap(...codex, "--key-file", "OPENAI_API_KEY=a key");
  expect(put, put.stderr).toMatchObject({ code: 0, value: { registered: "kept" } });
  expect(readFileSync(kept, "utf8")).toBe(`OPENAI_API_KEY='${key}'\n`);
  expect(statSync(kept).mode & 0o777).toBe(0o600);
  expect(put.stdout + put.stderr + readFileSync(join(machine.home, ".dispatch/bootstrap.log"), "utf8")).not.toContain(key);
});

test("a name that another machine has is refused before anything is asked", async () => {
  const taken = await scene.json<Told>("node", "bootstrap", "far", "--slots", "3", "--name", "local", "--yes");
  expect(taken).toMatchObject({ code: 2, value: { error: { code: "USAGE" } } });
  expect(existsSync(join(machine.home, ".dispatch"))).toBe(false);
  expect(names()).toEqual(["local"]);
});
