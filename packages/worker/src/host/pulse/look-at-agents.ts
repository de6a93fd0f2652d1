import { existsSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { AgentProgram } from "@dispatch/protocol";
import { askProgram, findProgram } from "../../process/ask-program.ts";
import { allowedEnvironment } from "../../process/environment.ts";
import { carriers, type KnownProgram, knownPrograms } from "./agent-programs.ts";

/** Finds the agent CLIs of the machine; asks each for its version once, and again when its file has changed. */
export interface AgentLook {
  /** Remembers the program of a job, when it is one by its name. */
  sawCommand(command: readonly string[]): void;
  look(): Promise<readonly AgentProgram[]>;
}

const versionLimitMs = 10_000;
/** Program names of jobs that are kept; factories have a handful. */
const seenLimit = 50;

export function createAgentLook(cwd: string, environment: NodeJS.ProcessEnv = process.env): AgentLook {
  const versions = new Map<string, { mark: string; version: string | null }>();
  const seen = new Set<string>();

  async function versionOf(file: string): Promise<string | null> {
    const mark = markOf(file);
    const known = versions.get(file);
    if (known?.mark === mark) return known.version;
    // Nothing that it could take for work or an update; a program that hangs is not asked again before it changes.
    const env = { ...allowedEnvironment(environment), CI: "1", NO_UPDATE_NOTIFIER: "1", DISABLE_AUTOUPDATER: "1", TERM: "dumb" };
    const answer = await askProgram({ argv: ["nice", "-n", "19", file, "--version"], cwd, env, timeoutMs: versionLimitMs });
    const version = answer?.code === 0 ? parseVersion(answer.text) : null;
    versions.set(file, { mark, version });
    return version;
  }

  return {
    sawCommand([program]) {
      if (program === undefined || program.includes("/") || carriers.has(program) || seen.size >= seenLimit) return;
      seen.add(program);
    },
    async look() {
      const programs: AgentProgram[] = [];
      const others = [...seen].filter((name) => !knownPrograms.some((known) => known.name === name));
      for (const known of [...knownPrograms, ...others.map(unknownProgram)]) {
        const found = findProgram(known.name, environment["PATH"] ?? "", cwd);
        if ("problem" in found) continue;
        programs.push({ name: known.name, version: await versionOf(found.file), login: loginOf(known, environment) });
      }
      return programs;
    },
  };
}

function unknownProgram(name: string): KnownProgram {
  return { name, files: [], variables: [], otherwise: "unknown" };
}

/** The same for the same content, as far as that can be told without reading it. */
function markOf(file: string): string {
  try {
    const path = realpathSync(file);
    const { mtimeMs, size } = statSync(path);
    return `${path} ${mtimeMs} ${size}`;
  } catch {
    return "";
  }
}

/** The first thing in the text that looks like a version; the first line where nothing does. */
export function parseVersion(text: string): string | null {
  const version = /\bv?(\d+\.\d+[0-9A-Za-z.+-]*)/.exec(text)?.[1];
  const line = text
    .split("\n")
    .map((part) => part.trim())
    .find((part) => part !== "");
  return (version ?? line)?.slice(0, 60) ?? null;
}

export function loginOf({ files, variables, otherwise }: KnownProgram, environment: NodeJS.ProcessEnv): AgentProgram["login"] {
  const home = environment["HOME"] ?? homedir();
  const isThere = files.some(({ variable, below, path }) => {
    const folder = variable === undefined ? undefined : environment[variable];
    return existsSync(join(folder === undefined || folder === "" ? join(home, below) : folder, path));
  });
  const isSet = variables.some((name) => (environment[name] ?? "") !== "");
  return isThere || isSet ? "yes" : otherwise;
}
