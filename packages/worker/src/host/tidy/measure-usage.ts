import { spawn } from "node:child_process";
import { basename, dirname, join } from "node:path";
import type { AttemptId, ProjectId } from "@dispatch/core";
import type { NodeUsage } from "@dispatch/protocol";
import { allowedEnvironment } from "../../process/environment.ts";
import { complain, type Host } from "../host.ts";

/** Bytes on disk of every entry of the folders under the home, by path; and of each of these folders. */
export type Sizes = ReadonlyMap<string, number>;

const patienceMs = 5 * 60_000;
const folders = ["repos", "work", "attempts", "verify", "worker"];

/** Counts what the node's folder takes, in a program of its own that everything else goes before. Undefined: it could not. */
export async function measureSizes(host: Host): Promise<Sizes | undefined> {
  const text = await runDu(host, ["-k", "-d", "1", "--", ...folders.map((folder) => join(host.home, folder))]);
  return text === undefined ? undefined : readSizes(text);
}

/** Bytes of one folder; 0 when it is not there. */
export async function measureFolder(host: Host, path: string): Promise<number> {
  const text = await runDu(host, ["-k", "-s", "--", path]);
  return text === undefined ? 0 : (readSizes(text).get(path) ?? 0);
}

/** The lines of `du -k`. */
export function readSizes(text: string): Sizes {
  const sizes = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, kibibytes, path] = /^(\d+)\s+(.+)$/.exec(line) ?? [];
    if (kibibytes !== undefined && path !== undefined) sizes.set(path, Number(kibibytes) * 1024);
  }
  return sizes;
}

/** What the sizes mean for the projects. `at` in ms since the epoch. */
export function usageOf(host: Host, sizes: Sizes, at: number): NodeUsage {
  const projects: Record<string, number> = {};
  let bytes = 0;
  for (const [path, size] of sizes) {
    if (folders.includes(basename(path)) && dirname(path) === host.home) bytes += size;
    const project = projectOf(host, path);
    if (project !== undefined) projects[project] = (projects[project] ?? 0) + size;
  }
  return { at, bytes, projects };
}

/** The project that an entry of one of the folders belongs to, where it can be told. */
function projectOf(host: Host, path: string): string | undefined {
  const name = basename(path).replace(/^\.(discarded|gone)-/, "");
  switch (dirname(path)) {
    case join(host.home, "repos"):
      return /^(.+?)\.git/.exec(name)?.[1];
    case join(host.home, "verify"):
      return name;
    case join(host.home, "work"):
    case join(host.home, "attempts"):
      return projectOfAttempt(name);
    default:
      return undefined;
  }
}

/** An attempt's name begins with its project's, in which no two dashes follow each other. */
export function projectOfAttempt(attempt: AttemptId): ProjectId | undefined {
  return /^([a-z][a-z0-9-]*?)--/.exec(attempt)?.[1];
}

async function runDu(host: Host, args: readonly string[]): Promise<string | undefined> {
  const child = spawn("nice", ["-n", "19", "du", ...args], {
    cwd: host.home,
    env: { ...allowedEnvironment(), LC_ALL: "C" },
    stdio: ["ignore", "pipe", "ignore"],
    timeout: patienceMs,
    killSignal: "SIGKILL",
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return await new Promise((resolve) => {
    child.once("error", (error) => {
      complain(error);
      resolve(undefined);
    });
    // It ends with 1 when a file vanished under it, and has counted the rest.
    child.once("close", (_, signal) => resolve(signal === null ? text : undefined));
  });
}
