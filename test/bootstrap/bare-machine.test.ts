import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FeedView } from "@dispatch/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addFunction, library } from "../e2e/kit/library.ts";
import { openScene, type Scene } from "../e2e/kit/scene.ts";
import { type BareMachine, openBareMachine, whyNoBareMachine } from "./bare-machine.ts";
import { type NodeMirror, openNodeMirror } from "./node-mirror.ts";

const script = readFileSync(join(import.meta.dirname, "../../bootstrap/bootstrap.sh"), "utf8");
const impossible = whyNoBareMachine();
const fiveMinutes = 300;

interface Written {
  nodes: { name: string; [field: string]: unknown }[];
}

if (impossible === undefined) describe("a bare machine behind SSH", bareMachine);
else test(`no bare machine is made here, since ${impossible}; the script looks at this one`, lookHere);

function lookHere(): void {
  const { status, stdout, stderr } = spawnSync("sh", ["-s", "--", "--check"], { input: script, encoding: "utf8" });
  expect([0, 1]).toContain(status);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^(ok|missing) +folders /m);
}

function bareMachine(): void {
  let machine: BareMachine;
  let mirror: NodeMirror;
  let scene: Scene;
  let order: string[];
  const nodes = (): Written["nodes"] => (JSON.parse(scene.read("nodes.json")) as Written).nodes;
  const bootstrap = () => scene.json<{ registered: string; seconds: number; info: object }>("node", "bootstrap", machine.target, ...order);
  const runScript = (...args: string[]) => machine.run(`sh -s -- ${args.map((arg) => `'${arg}'`).join(" ")}`, script);
  /** Everything the node's folder holds, but the log, and the packages, with the times of their last change. */
  const standOf = async (): Promise<string> =>
    (await machine.run("find /root/.dispatch /var/lib/dpkg/status -not -name bootstrap.log -not -path /root/.dispatch -printf '%p %T@ %s\\n' | sort"))
      .stdout;

  beforeAll(async () => {
    machine = await openBareMachine();
    scene = await openScene();
    scene.env["DISPATCH_SSH_CONFIG"] = machine.configFile;
    mirror = await openNodeMirror(scene.root);
    order = ["--slots", "2", "--mode", "codex", "--label", "far", "--node-version", mirror.version, "--node-mirror", mirror.url];
    order.push("--fingerprint", machine.hostKey);
  });
  afterAll(async () => {
    await scene?.end();
    await mirror?.close();
    await machine?.close();
  });

  test("--check names what is missing and changes nothing", async () => {
    const check = await runScript("--check", "--mode", "codex");
    expect(check).toMatchObject({ code: 1, stdout: "" });
    const missing = check.stderr.split("\n").flatMap((line) => (line.startsWith("missing ") ? [line.split(/\s+/)[1]] : []));
    expect(missing).toEqual(["folders", "git", "tmux", "Python", "ca-certificates", "curl", "Node.js", "codex"]);
    expect((await machine.run("ls -A /root")).stdout).not.toContain(".dispatch");
  });

  test("a host key that is not the given one ends it before anything is shown to the machine", async () => {
    const other = `SHA256:${"A".repeat(43)}`;
    const refused = await scene.json<{ error: { code: string } }>("node", "bootstrap", machine.target, "--slots", "2", "--fingerprint", other);
    expect(refused).toMatchObject({ code: 1, value: { error: { code: "NODE_FAILED" } } });
    expect((await machine.run("ls -A /root")).stdout).not.toContain(".dispatch");
  });

  test("a Node.js whose checksum is wrong is refused, and the next run goes on from there to a node, all in five minutes", async () => {
    const began = performance.now();
    mirror.forge(true);
    const refused = await scene.json<{ error: { code: string } }>("node", "bootstrap", machine.target, ...order);
    expect(refused).toMatchObject({ code: 1, value: { error: { code: "NODE_FAILED" } } });
    expect((await machine.run("ls -A /root/.dispatch /root/.dispatch/agents")).stdout).not.toMatch(/^node|codex|\.bootstrap\./m);
    expect(nodes().map(({ name }) => name)).toEqual(["local"]);

    mirror.forge(false);
    const made = await bootstrap();
    const seconds = (performance.now() - began) / 1000;
    expect(made, made.stderr).toMatchObject({ code: 0, value: { outcome: "ready", name: "bare", registered: "added" } });
    expect(made.value.info).toMatchObject({
      name: "bare",
      slots: 2,
      mode: "codex",
      labels: ["far"],
      node: mirror.version,
      host_key: machine.hostKey,
    });
    expect(made.stderr).toMatch(/^installed +Node\.js/m);
    expect(made.stderr).not.toMatch(/^installed +git/m);
    expect(nodes()).toContainEqual(expect.objectContaining({ name: "bare", ssh_target: machine.target, slots: 2, host_key: machine.hostKey }));
    console.log(`a bare machine became a node in ${seconds.toFixed(1)} s`);
    expect(seconds).toBeLessThan(fiveMinutes);
  });

  test("done again, by the controller or on the machine, it changes nothing", async () => {
    const before = await standOf();
    const text = scene.read("nodes.json");
    expect(await bootstrap()).toMatchObject({ code: 0, value: { registered: "kept" } });
    const again = await runScript("--name=bare", "--slots=2", "--mode=codex", "--label=far");
    expect(again).toMatchObject({ code: 0, stdout: (await machine.run("cat .dispatch/node-info.json")).stdout });
    expect(
      again.stderr
        .trim()
        .split("\n")
        .map((line) => line.split(" ")[0]),
    ).toEqual([...Array(8).fill("ok"), "ready"]);
    expect(await standOf()).toBe(before);
    expect(scene.read("nodes.json")).toBe(text);
  });

  test("its folders are its own, its agent runs without a PATH of its own, and no key is kept", async () => {
    const { stdout } = await machine.run(
      "cd .dispatch; stat -c '%a %n' . agents attempts bin repos work worker node-info.json; ls -A | grep -c '^env$'; bin/codex --version 2>/dev/null",
    );
    expect(stdout.trim().split("\n")).toEqual([
      ...[".", "agents", "attempts", "bin", "repos", "work", "worker"].map((name) => `700 ${name}`),
      "600 node-info.json",
      "0",
      expect.stringMatching(/^codex-cli \d/),
    ]);
  });

  test("the doctor finds all that an agent there needs", async () => {
    const codex = { command: ["codex", "exec", "--json", "-"], prompt: "stdin" };
    const script = `command -v codex\n${addFunction("shout", "return text.toUpperCase();")}`;
    scene.configure(["executors"], { codex, there: { command: ["sh", "-ec", script], prompt: "stdin" } });
    const doctor = await scene.dispatch("node", "doctor", "bare");
    expect(doctor.code, doctor.stdout + doctor.stderr).toBe(0);
  });

  test("a task runs there, with the agent on its PATH, and is merged", async () => {
    scene.write("nodes.json", JSON.stringify({ nodes: nodes().filter(({ name }) => name === "bare") }));
    const source = await scene.repository("words-source", library);
    const origin = join(scene.root, "words.git");
    await scene.git(scene.root, "clone", "-q", "--bare", source, origin);
    await scene.must("project", "add", "words", "--repo", origin, "--branch", "main", "--verify", "node --test");
    const spec = {
      id: "S01-shout",
      project: "words",
      creates: ["src/shout.js", "test/shout.test.js"],
      executor: "there",
      more: ["node_labels: [far]"],
    };
    scene.spec(spec);
    expect((await scene.must<FeedView>("start", "words")).planned).toEqual(["words/S01-shout"]);
    await scene.untilTask("words/S01-shout", "merged");
    expect((await scene.task("words/S01-shout")).attempts.map(({ node }) => node)).toEqual(["bare"]);
  });
}
