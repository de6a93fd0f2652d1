import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SshLab, SshMachine } from "../kit/real-sshd.ts";
import { milliseconds } from "./benchmark.ts";
import type { LayeredTask } from "./layered-plan.ts";

const run = promisify(execFile);
const maxBuffer = 64 * 1024 * 1024;

/** Milliseconds that GNU parallel takes for `count` times the command on the machines, over one master connection each. */
export async function runParallel(lab: SshLab, machines: readonly SshMachine[], slots: number, count: number, command: string): Promise<number> {
  const home = join(lab.dir, "parallel");
  mkdirSync(home, { recursive: true });
  // A word of its own: with options in it no master would come about, unseen.
  const program = join(home, "ssh");
  writeFileSync(program, `#!/bin/sh\nexec ssh -F ${lab.configFile} "$@"\n`, { mode: 0o700 });
  const logins = machines.map(({ name }) => `${slots}/${name}`).join(",");
  const script = `seq ${count} | parallel --will-cite -M -n0 -S ${logins} --ssh ${program} ${command}`;
  return await milliseconds(() => run("sh", ["-c", script], { env: { ...process.env, HOME: home, PARALLEL_HOME: home }, maxBuffer }));
}

/** The same through xargs: as many ssh clients at once as there are slots, each through the standing master of a machine. */
export async function runXargs(machines: readonly SshMachine[], slots: number, count: number, sshCommand: string, command: string): Promise<number> {
  const names = machines.map(({ name }) => name);
  const pick = names.map((name, n) => `${n}) host=${name} ;;`).join(" ");
  const one = `case $(($1 % ${names.length})) in ${pick} esac; exec ${sshCommand} $host ${command}`;
  const script = `seq ${count} | xargs -P ${slots * names.length} -n 1 sh -c '${one}' sh`;
  return await milliseconds(() => run("sh", ["-c", script], { maxBuffer }));
}

/** Milliseconds for a plan whose tasks each touch a file, on this machine, without ssh. */
export async function runMake(dir: string, tasks: readonly LayeredTask[], jobs: number): Promise<number> {
  mkdirSync(dir, { recursive: true });
  const rules = tasks.map(({ id, dependsOn }) => `${id}: ${dependsOn.join(" ")}\n\t@touch $@\n`).join("\n");
  writeFileSync(join(dir, "Makefile"), `all: ${tasks.map(({ id }) => id).join(" ")}\n\n${rules}`);
  return await milliseconds(() => run("make", ["-s", `-j${jobs}`, "all"], { cwd: dir, maxBuffer }));
}

export async function runSnakemake(dir: string, tasks: readonly LayeredTask[], jobs: number): Promise<number> {
  mkdirSync(dir, { recursive: true });
  const list = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");
  const rules = tasks.map(({ id, dependsOn }) => `rule ${id}:\n    input: ${list(dependsOn)}\n    output: "${id}"\n    shell: "touch {output}"\n`);
  writeFileSync(join(dir, "Snakefile"), `rule all:\n    input: ${list(tasks.map(({ id }) => id))}\n\n${rules.join("\n")}`);
  const env = { ...process.env, HOME: dir, XDG_CACHE_HOME: dir };
  return await milliseconds(() => run("snakemake", ["-c", String(jobs), "--scheduler", "greedy", "-q"], { cwd: dir, env, maxBuffer }));
}

/** Processor time of one ssh client that runs `true` through a master, in ms: its own, without the master's and the server's. */
export async function clientCpuMs(sshCommand: string, host: string, calls: number): Promise<number> {
  const script = `i=0; while [ $i -lt ${calls} ]; do ${sshCommand} ${host} true; i=$((i + 1)); done; times`;
  const { stdout } = await run("sh", ["-c", script]);
  const [user = 0, system = 0] = [...(stdout.trim().split("\n").at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, m, s]) => Number(m) * 60 + Number(s),
  );
  return ((user + system) * 1000) / calls;
}
