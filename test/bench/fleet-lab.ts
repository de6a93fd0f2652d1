import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { AttemptJob, VerifyCommand } from "@dispatch/core";
import { type NodeConfig, plainConfig } from "@dispatch/fleet";
import type { Client, ClientChannel, SFTPWrapper } from "ssh2";
import { connectClient } from "../../packages/fleet/src/ssh/connect-client.ts";
import { resolveTarget } from "../../packages/fleet/src/ssh/resolve-target.ts";
import { makeJob, makePool, type PoolScene, pushBase } from "../../packages/fleet/src/testing/pool-scene.ts";
import { eventually } from "../kit/eventually.ts";
import type { SshLab, SshMachine } from "../kit/real-sshd.ts";

const run = promisify(execFile);

/** As little as a verify command can be; without one nothing counts as done. */
export const greenVerify: VerifyCommand = { run: "true", cwd: ".", timeoutSeconds: 10, env: {} };

export type SshTransport = "ssh2" | "openssh";

/** A node on a machine of the lab, under the name that the SSH configuration has for it. */
export function sshNode(machine: SshMachine, transport: SshTransport, change: { id?: string; target?: string; slots?: number } = {}): NodeConfig {
  const { id = machine.name, target = machine.name, slots = 8 } = change;
  return {
    id,
    slots,
    lowPriority: false,
    labels: [],
    executors: null,
    // The slots alone limit what runs.
    capacity: { cpus: 4096, memoryMb: 2 ** 30, gpus: 0 },
    ...plainConfig,
    lowWater: { diskBytes: 0, memoryBytes: 0 },
    ssh: { target, transport, hostKey: machine.hostKey(), workDir: "~/.dispatch" },
  };
}

export async function openPool(lab: SshLab, workerBundle: string, nodes: readonly NodeConfig[]): Promise<PoolScene> {
  const scene = makePool({ nodes, workerBundle, knownHostsDir: join(lab.dir, "known"), configFile: lab.configFile });
  await scene.pool.open();
  return scene;
}

/** Gives the machines a repository of the project `demo` with one file in it; returns the commit to start from. */
export async function giveBase(lab: SshLab, workerBundle: string, ...machines: readonly SshMachine[]): Promise<string> {
  const nodes = machines.map((machine) => sshNode(machine, "ssh2"));
  const scene = await openPool(lab, workerBundle, nodes);
  for (const { name } of machines) await scene.pool.prepareRepository(name, "demo");
  await scene.pool.close();
  const [first = "", ...others] = machines.map(({ home }) => join(home, ".dispatch/repos/demo.git"));
  const base = pushBase(lab.dir, first);
  for (const other of others) await run("git", ["-C", first, "push", "-q", other, `refs/dispatch/base/${base}`]);
  return base;
}

/** A job of at least `bytes` as JSON, whose agent is a shell command that may change nothing. */
export function jobOf(n: number, base: string, script: string, bytes = 0): AttemptJob {
  const plain = makeJob(n, base, script);
  const job = { ...plain, verify: [greenVerify], spec: { ...plain.spec, allowEmpty: true } };
  return { ...job, specText: job.specText + "x".repeat(Math.max(0, bytes - JSON.stringify(job).length)) };
}

/** Waits until each of the hosts on a machine has a wrapper that waits for the next attempt. */
export async function sparesReady(machine: SshMachine, hosts = 1): Promise<void> {
  const isSpare = ({ args }: { args: string }): boolean => / spare \S+$/.test(args) && !args.startsWith("tmux");
  const folder = join(machine.home, ".dispatch/spare");
  // One that has opened its pipe has taken its name away.
  const opened = (): boolean => existsSync(folder) && readdirSync(folder).length === 0;
  await eventually(`${hosts} spare wrappers on ${machine.name}`, () => machine.processes().filter(isSpare).length >= hosts && opened());
}

/** A bare connection of the ssh2 library, for what the product is compared with. */
export async function openClient(lab: SshLab, target: string): Promise<Client> {
  const access = { node: target, target, hostKey: undefined, configFile: lab.configFile, knownHostsDir: join(lab.dir, "known"), env: process.env };
  return await connectClient({ node: target, target: await resolveTarget(access), access, verify: () => {}, keyType: undefined });
}

export function openSftp(client: Client): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => client.sftp((error, sftp) => (error === undefined ? resolve(sftp) : reject(error))));
}

export function openExec(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => client.exec(command, (error, channel) => (error === undefined ? resolve(channel) : reject(error))));
}

/** Runs a command in a channel of its own; settles with its end. */
export async function execToEnd(client: Client, command: string): Promise<void> {
  const channel = await openExec(client, command);
  channel.resume();
  channel.stderr.resume();
  await new Promise<void>((resolve) => channel.once("close", () => resolve()));
}

/** A channel that sends back what it gets: what it takes is the round trip. */
export async function openEcho(client: Client): Promise<() => Promise<void>> {
  const channel = await openExec(client, "cat");
  return () =>
    new Promise((resolve) => {
      channel.once("data", () => resolve());
      channel.write("x".repeat(100));
    });
}

/** A master connection of the ssh client; the returned function runs a command through it. */
export async function openMaster(lab: SshLab, target: string, socket = join(lab.dir, "m")): Promise<(command: string) => Promise<unknown>> {
  const options = ["-F", lab.configFile, "-o", `ControlPath=${socket}`];
  await run("ssh", [...options, "-o", "ControlMaster=yes", "-o", "ControlPersist=yes", "-f", "-N", target]);
  return (command) => run("ssh", [...options, target, command]);
}

export async function closeMaster(lab: SshLab, target: string, socket = join(lab.dir, "m")): Promise<void> {
  await run("ssh", ["-F", lab.configFile, "-o", `ControlPath=${socket}`, "-O", "exit", target]).catch(() => undefined);
}

/** The client of ssh as people use it: a connection of its own for one command. */
export function freshSsh(lab: SshLab, target: string, command: string): Promise<unknown> {
  return run("ssh", ["-F", lab.configFile, target, command]);
}
