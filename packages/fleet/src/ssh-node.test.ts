import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AttemptJob, errorCode, type FactoryError } from "@dispatch/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../../test/kit/eventually.ts";
import { killHard } from "../../../test/kit/find-processes.ts";
import { makeSshLab, type SshLab, type SshMachine } from "../../../test/kit/real-sshd.ts";
import { probeNode } from "./install/probe-node.ts";
import { plainConfig, type SshNodeConfig } from "./node-config.ts";
import { pinText } from "./ssh/host-key.ts";
import { readHostKey } from "./ssh/read-host-key.ts";
import { makeJob, makePool, makeWorkerBundle, type PoolScene, pushBase, type SceneOptions } from "./testing/pool-scene.ts";
import { createSsh2Transport } from "./transport/ssh2-transport.ts";

let lab: SshLab;
let workerBundle: string;
let scenes: PoolScene[];

beforeEach(() => {
  lab = makeSshLab();
  workerBundle = makeWorkerBundle(lab.dir);
  scenes = [];
});

afterEach(async () => {
  for (const { pool } of scenes) await pool.close();
  await lab.close();
});

function nodeConfig(machine: SshMachine, ssh: Partial<SshNodeConfig["ssh"]> = {}): SshNodeConfig {
  return {
    id: "far",
    slots: 8,
    lowPriority: false,
    labels: [],
    executors: null,
    capacity: { cpus: null, memoryMb: null, gpus: 0 },
    ...plainConfig,
    ssh: { target: machine.name, transport: "ssh2", hostKey: machine.hostKey(), workDir: "~/.dispatch", ...ssh },
  };
}

async function openPool(node: SshNodeConfig, more: Partial<SceneOptions> = {}): Promise<PoolScene> {
  const scene = makePool({ nodes: [node], workerBundle, knownHostsDir: join(lab.dir, "knöwn %h höst"), configFile: lab.configFile, ...more });
  scenes.push(scene);
  await scene.pool.open();
  return scene;
}

const statusOf = ({ pool }: PoolScene) => pool.nodes()[0]?.status;
const becauseOf = (scene: PoolScene): string => {
  const status = statusOf(scene);
  return status?.kind === "down" ? status.because : "";
};
const isUp = (scene: PoolScene): boolean => statusOf(scene)?.kind === "up";
const repositoryOf = (machine: SshMachine): string => join(machine.home, ".dispatch/repos/demo.git");
const hostsOn = (machine: SshMachine) => machine.processes().filter(({ args }) => args.includes(" host --home ") && !args.startsWith("env"));

describe.each(["ssh2", "openssh"] as const)("over %s", (transport) => {
  test("jobs are brought to their commits on one connection, watched, and nothing of them is lost or repeated when it is cut", async () => {
    const machine = await lab.add("alpha", { sshd: ["MaxSessions 10"] });
    // Whatever the start-up files of the login print.
    writeFileSync(join(machine.home, ".bashrc"), "echo a greeting; printf 'no end of line'; echo trouble >&2\n");
    const scene = await openPool(nodeConfig(machine, { transport }));
    expect(statusOf(scene)).toEqual({ kind: "up" });
    expect(scene.pool.nodes()[0]?.capacity).toEqual({ cpus: availableParallelism(), memoryMb: expect.any(Number), gpus: 0 });
    expect(scene.pool.nodes()[0]?.capacity.memoryMb).toBeLessThan(2 ** 30);
    const [connection] = machine.connections();
    const url = await scene.pool.prepareRepository("far", "demo");
    const base = pushBase(lab.dir, repositoryOf(machine));
    const gate = join(lab.dir, "gate");
    // Each call of the system's ssh is a session of its own, of which a stock sshd gives ten.
    const sessions = transport === "openssh" ? 8 : 3;
    const jobs = Array.from({ length: sessions }, (_, n) =>
      makeJob(n + 1, base, `while [ ! -e '${gate}' ]; do sleep 0.05; done; echo new > lib/new${n}.js`),
    );
    const [job, watched, ...others] = jobs;
    if (job === undefined || watched === undefined) throw new Error("no jobs");
    await Promise.all([job, ...jobs].map((one) => scene.pool.startAttempt("far", one)));

    // It carries them with many calls and many channels.
    await scene.until("all rounds", () => scene.reports.filter((report) => report.fact.type === "round-started").length === sessions);
    const calls = Promise.all(Array.from({ length: 300 }, () => scene.pool.inventory("far")));
    const talks = Promise.all(
      Array.from({ length: 24 }, async () => {
        const channel = await scene.pool.dialRepository(url, "git-upload-pack");
        channel.stdin.end("0000");
        channel.stdout.resume();
        channel.stderr.resume();
        return (await channel.ended).code;
      }),
    );
    expect((await calls).every((seen) => seen.length === sessions)).toBe(true);
    expect(new Set(await talks)).toEqual(new Set([0]));
    expect(machine.connections()).toEqual([connection]);

    const [program = "", ...args] = scene.pool.attachCommand("far", watched.attempt).map((word) => word.replace("attach-session", "has-session"));
    execFileSync(program, args, { stdio: "ignore" });
    await scene.pool.stopAttempt("far", watched.attempt, "seen");
    expect((await scene.ended(watched.attempt)).fact).toMatchObject({ outcome: { kind: "stopped", because: "seen" } });
    expect(scene.log.filter((line) => line.includes("node went down"))).toEqual([]);

    const [before] = hostsOn(machine);
    machine.cut();
    await scene.until("the fall", () => !isUp(scene));
    writeFileSync(gate, "");
    await scene.until("the return", () => isUp(scene));
    for (const one of [job, ...others]) {
      expect((await scene.ended(one.attempt)).fact).toMatchObject({ type: "attempt-ended", outcome: { kind: "succeeded", base, rounds: 1 } });
      expect(scene.seqsOf(one.attempt)).toEqual([1, 2, 3, 4, 5]);
    }
    await eventually("the end of the host without a link", () => hostsOn(machine).every(({ pid }) => pid !== before?.pid));
    const held = await scene.pool.salvageAttempt("far", job.attempt);
    expect(execFileSync("git", ["--git-dir", repositoryOf(machine), "show", `${held.tip}:lib/new0.js`], { encoding: "utf8" })).toBe("new\n");
    await scene.pool.discardAttempt("far", job.attempt, held);

    // A host that dies is started again on the connection that stands.
    const [serving] = machine.connections();
    for (const { pid } of hostsOn(machine)) killHard(pid);
    await scene.until("the second fall", () => !isUp(scene));
    await scene.until("the second return", () => isUp(scene));
    expect(machine.connections()).toEqual([serving]);
    await scene.pool.close();
    expect(hostsOn(machine)).toEqual([]);
  });

  test("a host key that nobody accepted is shown and not trusted; a changed one is refused, and both keys are named", async () => {
    const machine = await lab.add("alpha");
    const unknown = await openPool(nodeConfig(machine, { transport, hostKey: null }));
    expect(becauseOf(unknown)).toContain(machine.hostKey());
    expect(existsSync(join(machine.home, ".dispatch"))).toBe(false);
    const asked = { node: "far", target: "alpha", hostKey: undefined, configFile: lab.configFile, env: process.env };
    expect(pinText(await readHostKey(asked, transport))).toBe(machine.hostKey());
    expect(pinText(await readHostKey(asked, "auto"))).toBe(machine.hostKey());
    await unknown.pool.close();
    const node = nodeConfig(machine, { transport });
    const before = machine.hostKey();
    const first = await openPool(node);
    expect(isUp(first)).toBe(true);
    await first.pool.close();
    await machine.renewHostKey();
    const second = await openPool(node);
    expect(becauseOf(second)).toContain(before);
    expect(becauseOf(second)).toContain(machine.hostKey());
    expect(await codeOf(second.pool.inventory("far"))).toBe("NODE_UNREACHABLE");
    expect(hostsOn(machine)).toEqual([]);
  });

  test("a key that the machine does not know, and a machine that is not there, leave the node down", async () => {
    const machine = await lab.add("alpha");
    writeFileSync(join(machine.home, "authorized_keys"), readFileSync(`${lab.makeKey("stranger")}.pub`));
    const wrong = await openPool(nodeConfig(machine, { transport }));
    expect(statusOf(wrong)?.kind).toBe("down");
    expect(wrong.log.some((line) => line.includes('"NODE_UNREACHABLE"'))).toBe(true);
    await wrong.pool.close();
    await machine.stop();
    const gone = await openPool(nodeConfig(machine, { transport }));
    expect(statusOf(gone)?.kind).toBe("down");
  });

  test("a machine behind two others is reached through them", async () => {
    const outer = await lab.add("outer");
    const middle = await lab.add("middle");
    const machine = await lab.add("inner");
    lab.configure("Host inner\n  ProxyJump outer,middle\n");
    const scene = await openPool(nodeConfig(machine, { transport }));
    expect(statusOf(scene)).toEqual({ kind: "up" });
    expect(await scene.pool.inventory("far")).toEqual([]);
    await scene.pool.close();
    for (const one of [outer, middle, machine]) await eventually(`no connection to ${one.name}`, () => one.connections().length === 0);
  });
});

describe("the user's own settings", () => {
  test("a key with a passphrase is used through the agent, and without one the remedy is named", async () => {
    const machine = await lab.add("alpha");
    const locked = lab.makeKey("locked", "secret");
    writeFileSync(join(machine.home, "authorized_keys"), readFileSync(`${locked}.pub`));
    lab.configure(`Host alpha\n  IdentityFile ${locked}\n`);
    const without = await openPool(nodeConfig(machine), { env: { ...process.env, SSH_AUTH_SOCK: undefined } });
    expect(becauseOf(without)).toContain(`ssh-add ${locked}`);
    const agent = await startAgent(locked);
    try {
      const withAgent = await openPool(nodeConfig(machine), { env: { ...process.env, SSH_AUTH_SOCK: agent.socket } });
      expect(statusOf(withAgent)).toEqual({ kind: "up" });
    } finally {
      agent.end();
    }
  });

  test("Include, Match, several key files and %-tokens count", async () => {
    const machine = await lab.add("alpha", { unlisted: true });
    const own = lab.makeKey("own_127.0.0.1");
    writeFileSync(join(machine.home, "authorized_keys"), readFileSync(`${own}.pub`));
    writeFileSync(join(lab.dir, "more_config"), `Match originalhost al* user ${userInfo().username}\n  HostName 127.0.0.1\n  Port ${machine.port}\n`);
    lab.configure(
      `Include ${join(lab.dir, "more_config")}\nHost alpha\n  IdentityFile ${join(lab.dir, "nowhere")}\n  IdentityFile ${lab.dir}/own_%h\n`,
    );
    const scene = await openPool(nodeConfig(machine));
    expect(statusOf(scene)).toEqual({ kind: "up" });
  });

  test("auto takes the system's ssh where a ProxyCommand asks for it", async () => {
    const machine = await lab.add("alpha");
    await lab.add("jump");
    lab.configure(`Host alpha\n  ProxyCommand ssh -F ${lab.configFile} -W %h:%p jump\n`);
    const scene = await openPool(nodeConfig(machine, { transport: "auto" }));
    expect(scene.log.find((line) => line.includes("node is up"))).toContain('"openssh"');
  });

  test("auto takes the other transport when one cannot connect, and stays with it", async () => {
    // A key exchange that the ssh2 library does not know.
    const machine = await lab.add("alpha", { sshd: ["KexAlgorithms sntrup761x25519-sha512@openssh.com"] });
    const scene = await openPool(nodeConfig(machine, { transport: "auto" }));
    await scene.until("the other way", () => isUp(scene));
    machine.cut();
    await scene.until("the fall", () => !isUp(scene));
    await scene.until("the return", () => isUp(scene));
    const ups = () => scene.log.filter((line) => line.includes("node is up"));
    await eventually("two connections", () => ups().length === 2);
    expect(ups().map((line) => (JSON.parse(line) as { transport: string }).transport)).toEqual(["openssh", "openssh"]);
  });

  test("a connection that the user keeps open is shared first, left alone, and done without when it is gone", async () => {
    const machine = await lab.add("alpha");
    const socket = join(lab.dir, "the user's socket");
    const master = spawn("ssh", ["-F", lab.configFile, "-o", "ControlMaster=yes", "-o", `ControlPath="${socket}"`, "-N", "alpha"], {
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => master.once("exit", resolve));
    await eventually("the user's connection", () => existsSync(socket));
    const [theirs] = machine.connections();
    const first = await openPool(nodeConfig(machine, { transport: "auto", socket }));
    expect(first.pool.describe("far")?.transport).toBe("existing");
    expect(machine.connections()).toEqual([theirs]);
    await first.pool.close();
    expect([machine.connections(), master.exitCode]).toEqual([[theirs], null]);
    const scene = await openPool(nodeConfig(machine, { transport: "auto", socket }));
    expect(scene.pool.describe("far")?.transport).toBe("existing");
    master.kill("SIGKILL");
    await ended;
    await scene.until("the fall", () => !isUp(scene));
    await scene.until("the return", () => isUp(scene));
    expect(scene.pool.describe("far")).toMatchObject({ transport: "ssh2", target: "alpha", hostKey: machine.hostKey(), workDir: "~/.dispatch" });
    expect(await scene.pool.inventory("far")).toEqual([]);
  });

  test("a machine on the way whose key nobody knows is refused", async () => {
    await lab.add("jump");
    const machine = await lab.add("inner");
    lab.configure("Host inner\n  ProxyJump jump\n");
    writeFileSync(join(lab.dir, "known_hosts"), "");
    const scene = await openPool(nodeConfig(machine));
    expect(scene.log.some((line) => line.includes('"NODE_FAILED"'))).toBe(true);
  });
});

describe("the program on the node", () => {
  test("is put there anew when it is damaged, old ones go unless somebody runs them, and a controller that is killed leaves it its sessions", async () => {
    const machine = await lab.add("alpha");
    const node = nodeConfig(machine);
    const folder = join(machine.home, ".dispatch/worker");
    const first = await openPool(node);
    await first.pool.prepareRepository("far", "demo");
    const base = pushBase(lab.dir, repositoryOf(machine));
    const [name = ""] = readdirSync(folder);
    expect(name).toMatch(/^[0-9a-f]{64}\.mjs$/);
    await first.pool.close();
    writeFileSync(join(folder, name), "cut off");
    const used = `${"a".repeat(64)}.mjs`;
    const unused = `${"b".repeat(64)}.mjs`;
    for (const old of [used, unused]) writeFileSync(join(folder, old), "setInterval(() => {}, 1000);");
    const runs = spawn(process.execPath, [join(folder, used)], { stdio: "ignore" });
    try {
      const second = await openPool(node);
      expect(statusOf(second)).toEqual({ kind: "up" });
      expect(readdirSync(folder).sort()).toEqual([name, used].sort());
      expect(readFileSync(join(folder, name)).equals(readFileSync(workerBundle))).toBe(true);
      await second.pool.close();
    } finally {
      runs.kill("SIGKILL");
    }

    // The next controller sees every event once.
    const gate = join(lab.dir, "gate");
    const job = makeJob(1, base, `while [ ! -e '${gate}' ]; do sleep 0.02; done; echo new > lib/new.js`);
    const options = { nodes: [node], workerBundle, knownHostsDir: join(lab.dir, "known"), configFile: lab.configFile };
    const seen = await startAndDie(options, job);
    await eventually("the end of the host without a controller", () => hostsOn(machine).length === 0);
    const cursors = { [job.attempt]: Math.max(...seen) };
    const next = await openPool(node, { cursors });
    expect(await next.pool.seenAttempts("far")).toMatchObject([{ attempt: job.attempt, alive: true }]);
    writeFileSync(gate, "");
    await next.ended(job.attempt);
    expect([...seen, ...next.seqsOf(job.attempt)]).toEqual([1, 2, 3, 4, 5]);
  });

  test("a machine whose Node.js is too old says what was found", async () => {
    const bin = join(lab.dir, "bin");
    mkdirSync(bin);
    for (const tool of ["sh", "mkdir", "cat", "git", "tmux", "getconf"]) symlinkSync(which(tool), join(bin, tool));
    writeFileSync(join(bin, "node"), "#!/bin/sh\necho v18.19.0\n", { mode: 0o755 });
    const machine = await lab.add("alpha", { path: bin });
    const { ssh } = nodeConfig(machine);
    const access = { node: "far", target: ssh.target, hostKey: machine.hostKey(), configFile: lab.configFile, knownHostsDir: join(lab.dir, "known") };
    const connection = await createSsh2Transport({ ...access, env: process.env }).connect();
    try {
      const probing = probeNode(connection, { node: "far", workDir: ssh.workDir, sha256: "0".repeat(64), places: [] });
      await expect(probing).rejects.toMatchObject({ code: "NODE_FAILED", facts: { found: [`${join(bin, "node")} v18.19.0`] } });
    } finally {
      connection.close();
    }
  });
});

/** Has a controller of its own start a job, and kills it after the first round began. Gives the events it had seen. */
async function startAndDie(options: SceneOptions, job: AttemptJob): Promise<number[]> {
  const program = fileURLToPath(new URL("./testing/start-and-wait.ts", import.meta.url));
  const tsx = createRequire(import.meta.url).resolve("tsx");
  const child = spawn(process.execPath, ["--conditions=@dispatch/source", "--import", tsx, program], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify({ options, job }));
  const seen: number[] = [];
  let text = "";
  child.stdout.setEncoding("utf8");
  for await (const chunk of child.stdout) {
    text += chunk as string;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const { seq, type } = JSON.parse(line) as { seq: number; type: string };
      seen.push(seq);
      if (type === "round-started") child.kill("SIGKILL");
    }
  }
  return seen;
}

async function startAgent(key: string): Promise<{ socket: string; end(): void }> {
  const socket = join(lab.dir, "agent");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  await eventually("the agent", () => existsSync(socket));
  const answer = join(lab.dir, "answer");
  writeFileSync(answer, "#!/bin/sh\necho secret\n", { mode: 0o700 });
  const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: answer, SSH_ASKPASS_REQUIRE: "force" };
  execFileSync("ssh-add", ["-q", key], { env, stdio: ["ignore", "ignore", "pipe"] });
  return { socket, end: () => void agent.kill("SIGTERM") };
}

function which(tool: string): string {
  return execFileSync("sh", ["-c", 'command -v "$1"', "which", tool], { encoding: "utf8" }).trim();
}

async function codeOf(promise: Promise<unknown>): Promise<FactoryError["code"] | undefined> {
  return await promise.then(
    () => undefined,
    (error: unknown) => errorCode(error),
  );
}
