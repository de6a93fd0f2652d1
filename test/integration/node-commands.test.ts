import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { addNode, examineNodes, type NewNode, readNodeInfo } from "@dispatch/controller";
import { initFactory } from "@dispatch/controller/files";
import { factoryPaths, type NodeView } from "@dispatch/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../kit/eventually.ts";
import { killHard, processesWith } from "../kit/find-processes.ts";
import { type RealDaemon, startDaemon } from "../kit/real-daemon.ts";
import { makeRealFactory, waitStep } from "../kit/real-factory.ts";
import { makeSshLab, type SshLab, type SshMachine } from "../kit/real-sshd.ts";

const cliProgram = resolve(import.meta.dirname, "../../packages/cli/dist/bundle/dispatch.js");

let lab: SshLab;
let alpha: SshMachine;
let factory: string;
let daemon: RealDaemon | undefined;
let sshConfig: string | undefined;

beforeAll(async () => {
  lab = makeSshLab();
  sshConfig = process.env["DISPATCH_SSH_CONFIG"];
  process.env["DISPATCH_SSH_CONFIG"] = lab.configFile;
  alpha = await lab.add("alpha");
});

beforeEach(async () => {
  factory = join(mkdtempSync(join(lab.dir, "of-a-test-")), "the factory");
  daemon = undefined;
  await initFactory(factory);
});

/** What the next test finds is the machine as it was. */
afterEach(async () => {
  daemon?.kill("SIGKILL");
  await daemon?.ended;
  await eventually("the end of all on alpha", () => {
    const left = alpha.processes();
    for (const { pid } of left) killHard(pid);
    return left.length === 0;
  });
  for (const name of [".dispatch", "work"]) rmSync(join(alpha.home, name), { recursive: true, force: true });
});

afterAll(async () => {
  if (sshConfig === undefined) delete process.env["DISPATCH_SSH_CONFIG"];
  else process.env["DISPATCH_SSH_CONFIG"] = sshConfig;
  await lab.close();
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The command line as it is installed. Without `input` its standard input stays open. */
function start(args: readonly string[], input?: string) {
  const child = spawn(process.execPath, [cliProgram, ...args], { cwd: lab.dir, env: { ...process.env, DISPATCH_FACTORY: factory } });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
    });
  }
  if (input !== undefined) child.stdin.end(input);
  const ended = new Promise<Ended>((done) => child.once("close", (code) => done({ code, ...texts })));
  return { child, ended, texts };
}

const dispatch = (args: readonly string[], input = ""): Promise<Ended> => start(args, input).ended;

interface Failure {
  error?: { code: string; hint: string; facts: Record<string, unknown> };
}

/** The exit code and the answer of a command with --json. */
async function asJson<T = object>(args: readonly string[]): Promise<{ code: number | null } & T & Failure> {
  const { code, stdout } = await dispatch([...args, "--json"]);
  return { code, ...(JSON.parse(stdout) as T & Failure) };
}

const nodesFile = (): string => join(factory, factoryPaths.nodes);
const nodesText = (): string => readFileSync(nodesFile(), "utf8");
const nodes = (): { name: string }[] => (JSON.parse(nodesText()) as { nodes: { name: string }[] }).nodes;
const fingerprintOf = (machine: SshMachine): string => machine.hostKey().split(" ")[1] ?? "";
const entryOf = (machine: SshMachine, more: object = {}): object => ({
  ...{ name: machine.name, ssh_target: machine.name, host_key: machine.hostKey(), slots: 1 },
  ...more,
});

function add(name: string, fingerprint: string | undefined, more: Partial<NewNode> = {}) {
  const nothing = { sshTarget: undefined, slots: undefined, transport: undefined, mode: undefined, workDir: undefined };
  return addNode(factory, { info: { name }, ...nothing, labels: [], key: { fingerprint, yes: false, confirm: undefined }, say: () => {}, ...more });
}

interface Examined {
  node: string;
  checks: readonly { check: string; level: string }[];
}

/** Level of each check by node. */
function levelsOf(examined: readonly Examined[]): Record<string, Record<string, string>> {
  return Object.fromEntries(examined.map(({ node, checks }) => [node, Object.fromEntries(checks.map(({ check, level }) => [check, level]))]));
}

const examine = async (...names: string[]) => levelsOf(await examineNodes(factory, names, { limitMs: 30_000, onStep: () => {}, onDone: () => {} }));

describe("node add", () => {
  test("nothing is written before the key was accepted, and no other key than the given one is; then the machine is looked at, equipped and written down with its key pinned, and a second one of the name is refused", async () => {
    const before = nodesText();
    const asked = await asJson(["node", "add", "alpha"]);
    expect([asked.code, asked.error?.code, asked.error?.facts["presented"]]).toEqual([1, "NOT_ALLOWED", alpha.hostKey()]);
    const given = `SHA256:${"A".repeat(43)}`;
    await expect(add("alpha", given)).rejects.toMatchObject({ code: "NODE_FAILED", facts: { expected: given, presented: alpha.hostKey() } });
    await expect(add("alpha", "md5:x")).rejects.toMatchObject({ code: "USAGE" });
    expect(nodesText()).toBe(before);
    expect(existsSync(join(alpha.home, ".dispatch"))).toBe(false);

    const more = ["--slots", "4", "--label", "gpu", "--mode", "hybrid"];
    expect((await dispatch(["node", "add", "alpha", "--fingerprint", fingerprintOf(alpha), ...more])).code).toBe(0);
    expect(nodes()).toEqual([expect.objectContaining({ name: "local" }), entryOf(alpha, { slots: 4, mode: "hybrid", labels: ["gpu"] })]);
    expect(nodesText()).toMatch(/^\{\n {2}"\$schema": ".\/\.dispatch\/schema\/nodes\.json",\n {2}"nodes": \[\n {4}\{\n {6}"name": "local"/);
    expect(JSON.parse(readFileSync(join(factory, ".dispatch/schema/nodes.json"), "utf8"))).toHaveProperty("properties.nodes");
    expect(readdirSync(join(alpha.home, ".dispatch/worker"))).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.mjs$/)]);
    const key = alpha.hostKey();
    await expect(add("alpha", key)).rejects.toMatchObject({ code: "USAGE" });
    await expect(add("again", key, { sshTarget: "alpha" })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await expect(add("Wrong", key, { sshTarget: "alpha" })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(nodes()).toHaveLength(2);
    await eventually("the end of its host", () => alpha.processes().length === 0);
  });

  test("a machine behind another one is asked for its key, looked at and spoken to through that", async () => {
    const behind = await lab.add("behind");
    lab.configure("Host behind\n  ProxyJump alpha\n");
    await add("behind", behind.hostKey());
    expect(nodes()[1]).toMatchObject({ name: "behind", host_key: behind.hostKey() });
    expect((await dispatch(["node", "exec", "behind", "--", "sh", "-c", "echo $HOME"])).stdout).toBe(`${behind.home}\n`);
    expect((await examine("behind"))["behind"]).toMatchObject({ address: "skip", port: "skip", "host-key": "ok", login: "ok", "git-relay": "ok" });
  });

  test("one that lacks what tasks need is not added, and bootstrap is offered; commands run there all the same", async () => {
    const bin = join(lab.dir, "bin");
    mkdirSync(bin);
    const tools = ["sh", "bash", "env", "echo", "cat", "id", "uname", "head", "mkdir", "rm", "df", "dirname", "date", "grep", "sleep", "sha256sum"];
    for (const tool of [...tools, "node", "git"]) symlinkSync(whereIs(tool), join(bin, tool));
    const bare = await lab.add("bare", { path: bin });
    const before = nodesText();
    const offer = { code: "NODE_FAILED", hint: expect.stringContaining("node bootstrap bare"), facts: { missing: ["tmux"] } };
    await expect(add("bare", bare.hostKey())).rejects.toMatchObject(offer);
    expect(nodesText()).toBe(before);
    writeFileSync(nodesFile(), JSON.stringify({ nodes: [entryOf(bare)] }));
    expect(await dispatch(["node", "exec", "bare", "--", "echo", "here"])).toMatchObject({ code: 0, stdout: "here\n" });
    expect((await examine("bare"))["bare"]).toMatchObject({ login: "ok", git: "ok", tmux: "fail", worker: "skip", host: "skip" });
  });

  test("what bootstrap.sh wrote is enough, what it does not know of is refused; a daemon that runs takes the machine up and lets it go again", async () => {
    daemon = startDaemon(factory, {});
    expect(await daemon.up).toBe(true);
    const machine = { mode: "codex", labels: ["gpu"], cpus: 2, memory_mb: 2048, work_dir: join(alpha.home, "work") };
    const info = { name: "gpu-1", slots: 3, ...machine, host_key: alpha.hostKey() };
    writeFileSync(join(lab.dir, "node-info.json"), JSON.stringify(info));
    const added = await asJson<{ node: string; daemon: NodeView | null }>(["node", "add", "node-info.json", "--ssh", "alpha", "--label", "far"]);
    expect(added).toMatchObject({ code: 0, node: "gpu-1", daemon: { id: "gpu-1", slots: 3, state: { kind: "up" } } });
    expect(nodes()[1]).toEqual({ ...info, ssh_target: "alpha", labels: ["gpu", "far"] });
    expect(() => readNodeInfo(JSON.stringify({ ...info, password: "x" }), "odd.json")).toThrow();
    await daemon.post("/nodes/gpu-1/cordon");
    expect((await dispatch(["node", "remove", "gpu-1"])).code).toBe(0);
    expect(nodes().map(({ name }) => name)).toEqual(["local"]);
    const again = await asJson<{ daemon: NodeView | null }>(["node", "add", "gpu-1", "--ssh", "alpha", "--yes", "--slots", "2"]);
    expect(again.daemon).toMatchObject({ id: "gpu-1", slots: 2, state: { kind: "up" }, closed: null, resting: null });
  });
});

function whereIs(tool: string): string {
  const folder = (process.env["PATH"] ?? "").split(":").find((one) => existsSync(join(one, tool)));
  if (folder === undefined) throw new Error(`there is no ${tool}`);
  return join(folder, tool);
}

const soundMachine = { login: "ok", "tmux-session": "ok", worker: "ok", host: "ok", "git-relay": "ok", channels: "ok" };

describe("node doctor", () => {
  test("finds a machine over ssh2 and this one sound, tells start-up files that print, and leaves nothing behind", async () => {
    writeFileSync(nodesFile(), JSON.stringify({ nodes: [{ name: "local", slots: 1 }, entryOf(alpha, { transport: "ssh2" })] }));
    writeFileSync(join(alpha.home, ".bashrc"), "echo welcome\n");
    const told = await asJson<{ nodes: Examined[] }>(["node", "doctor"]).finally(() => rmSync(join(alpha.home, ".bashrc")));
    expect(told.code).toBe(0);
    const seen = levelsOf(told.nodes);
    expect(Object.keys(seen)).toEqual(["local", "alpha"]);
    for (const checks of Object.values(seen)) expect(Object.entries(checks).filter(([, level]) => level === "fail")).toEqual([]);
    expect(seen["alpha"]).toMatchObject({ ...soundMachine, shell: "warn" });
    expect(readdirSync(join(alpha.home, ".dispatch/repos"))).toEqual([]);
    await eventually("the end of what it started", () => alpha.processes().length === 0);
  });

  test("finds a machine over openssh sound and leaves nothing behind; tells a changed key, and a machine that is off", async () => {
    const beta = await lab.add("beta");
    writeFileSync(nodesFile(), JSON.stringify({ nodes: [{ name: "local", slots: 1 }, entryOf(beta, { transport: "openssh" })] }));
    const seen = await examine("beta");
    expect(Object.keys(seen)).toEqual(["beta"]);
    expect(Object.entries(seen["beta"] ?? {}).filter(([, level]) => level === "fail")).toEqual([]);
    expect(seen["beta"]).toMatchObject({ ...soundMachine, shell: "ok" });
    expect(readdirSync(join(beta.home, ".dispatch/repos"))).toEqual([]);
    await eventually("the end of what it started", () => beta.processes().length === 0);
    writeFileSync(nodesFile(), JSON.stringify({ nodes: [entryOf(beta)] }));
    await beta.renewHostKey();
    expect((await examine("beta"))["beta"]).toMatchObject({ port: "ok", "host-key": "fail", login: "fail" });
    await beta.stop();
    const off = await asJson<{ nodes: Examined[] }>(["node", "doctor"]);
    expect(off.code).toBe(1);
    expect(levelsOf(off.nodes)["beta"]).toMatchObject({ address: "ok", port: "fail", "host-key": "skip" });
    await expect(examine("nobody")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("node exec", () => {
  test.each(["ssh2", "openssh"])(
    "over %s arguments, streams, input and exit code pass as they are, and what takes too long or is interrupted is ended there with all it started",
    async (transport) => {
      writeFileSync(nodesFile(), JSON.stringify({ nodes: [entryOf(alpha, { transport })] }));
      const echoing = 'cat; printf "%s|" "$HOME" "$@" >&2; exit 255';
      const words = ["it's", "$HOME", "a\nb", "", "!", "\\"];
      const result = await dispatch(["node", "exec", "alpha", "--", "sh", "-c", echoing, "sh", ...words], "one\ntwo");
      expect(result).toEqual({ code: 255, stdout: "one\ntwo", stderr: [alpha.home, ...words].map((word) => `${word}|`).join("") });

      const script = "setsid sleep 4242 & sleep 4243 & echo on; wait";
      const late = await dispatch(["node", "exec", "alpha", "--timeout", "1", "--", "sh", "-c", script]);
      expect(late).toMatchObject({ code: 124, stdout: "on\n" });
      await eventually("the end of all it started", () => alpha.processes().length === 0);
      const { child, ended, texts } = start(["node", "exec", "alpha", "--", "sh", "-c", script]);
      await eventually("its start", () => texts.stdout === "on\n");
      child.kill("SIGINT");
      expect((await ended).code).toBe(130);
      await eventually("the end of all it started", () => alpha.processes().length === 0);
      expect(processesWith("sleep 424")).toEqual([]);
    },
  );
});

describe("node remove", () => {
  test("the only machine stays, and so does all else that is written", async () => {
    expect((await asJson(["node", "remove", "local"])).error?.code).toBe("NOT_ALLOWED");
    const text = JSON.stringify({ nodes: [{ name: "local", slots: 1 }, entryOf(alpha)] }, null, 4);
    writeFileSync(nodesFile(), text);
    expect((await dispatch(["node", "remove", "local"])).code).toBe(0);
    expect(nodesText()).toBe(JSON.stringify({ nodes: [entryOf(alpha)] }, null, 4));
  });

  test("a machine with a session is kept until it is empty, or given up when it is gone", { timeout: 120_000 }, async () => {
    const gamma = await lab.add("gamma");
    const far = {
      entries: [entryOf(alpha), entryOf(gamma), { name: "local", slots: 1, low_priority: true }],
      homes: [alpha, gamma].map(({ home }) => join(home, ".dispatch")),
      env: {},
    };
    const specs = ["S01-one", "S02-two"].map((id) => ({
      id,
      creates: [`${id}.txt`],
      attempts: [[{ append: `${id}.txt`, content: "a line\n" }, waitStep(id)]],
    }));
    const real = makeRealFactory(specs, { far });
    factory = real.dir;
    try {
      for (const { id } of specs) real.hold(id);
      await (await real.up())?.post("/projects/shop/start");
      await eventually("its agents", () => specs.every(({ id }) => real.held(id).length === 1), 40_000);
      const held = { error: { code: "NOT_ALLOWED", facts: { sessions: ["shop--S01-one--1"], unfetched: [] } } };
      expect(await asJson(["node", "remove", "alpha"])).toMatchObject(held);
      expect(await asJson(["node", "remove", "alpha", "--abandon"])).toMatchObject({ error: { code: "NOT_ALLOWED" } });
      real.daemon().kill("SIGTERM");
      await real.daemon().ended;
      expect(await asJson(["node", "remove", "alpha"])).toMatchObject(held);
      await real.up();
      await gamma.stop();
      await eventually("the loss", async () => (await real.daemon().get<NodeView>("/nodes/gamma")).state.kind === "down");
      expect(await asJson(["node", "remove", "gamma"])).toMatchObject({ error: { facts: { sessions: ["shop--S02-two--1"] } } });
      expect(await asJson(["node", "remove", "gamma", "--abandon"])).toMatchObject({ code: 0, abandoned: ["shop--S02-two--1"] });
      const draining = start(["node", "remove", "alpha", "--drain"]);
      await eventually("the drain", () => draining.texts.stderr.includes("alpha"), 20_000);
      for (const { id } of specs) real.release(id);
      expect((await draining.ended).code).toBe(0);
      expect(nodes().map(({ name }) => name)).toEqual(["local"]);
      await real.until("both tasks on main", () => specs.every(({ id }) => real.followed.task(id)?.state.kind === "merged"), 60_000);
    } finally {
      for (const { id } of specs) real.release(id);
      await real.close();
    }
  });
});
