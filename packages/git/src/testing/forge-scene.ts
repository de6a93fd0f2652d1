import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Forge, Oid, ProjectSource } from "@dispatch/core";
import { createRepositories } from "../create-repositories.ts";
import { commitTree, environment, type Files, landing, makeScene, type Scene } from "./git-scene.ts";

/** A pull request as the forge has it. */
export interface KeptRequest {
  number: number;
  open: boolean;
  fork: boolean;
  head: string;
  base: string;
  title: string;
  body: string;
}

/** A scene whose origin is a bare repository here that git takes for one at a forge, with the forge's program on the PATH. */
export interface ForgeScene extends Scene {
  forge: Forge;
  /** Lands a spec on main in the hub. */
  land(specId: string, files: Files): Promise<Oid>;
  origin(...args: string[]): string;
  requests(): KeptRequest[];
  setRequests(requests: readonly KeptRequest[]): void;
  /** Calls of the program since the last time this was asked. */
  takeCalls(): string[][];
  /** What every further call of the program ends with; undefined: it works again. */
  failWith(failure: { exitCode: number; stderr: string } | { hangs: true } | undefined): void;
  /** It is not installed any more. */
  removeProgram(): void;
}

const repos: Readonly<Record<Forge, string>> = { gh: "https://github.com/acme/shop.git", glab: "git@gitlab.com:acme/web/shop.git" };

export async function makeForgeScene(forge: Forge, options: { quietMs?: number } = {}): Promise<ForgeScene> {
  const scene = makeScene({ "a.txt": "a\n" }, { bare: true });
  const programs = join(scene.root, "bin");
  mkdirSync(programs);
  copyFileSync(join(import.meta.dirname, "fake-forge.mjs"), join(programs, forge));
  chmodSync(join(programs, forge), 0o755);
  const gitConfig = join(scene.root, "gitconfig");
  writeFileSync(gitConfig, `[url "${scene.project.repo}"]\n\tinsteadOf = ${repos[forge]}\n`);
  const env = environment();
  const project: ProjectSource = { ...scene.project, repo: repos[forge], pullRequest: { branch: "dispatch/main", forge } };
  const repositories = createRepositories({
    hubDir: dirname(scene.hub),
    env: { ...env, PATH: `${programs}:${dirname(process.execPath)}:${env["PATH"] ?? ""}`, GIT_CONFIG_GLOBAL: gitConfig },
    ...(options.quietMs === undefined ? {} : { remoteQuietMs: options.quietMs }),
  });
  await scene.openHub();
  const at = (name: string): string => join(programs, name);
  const readOr = (name: string, fallback: string): string => (existsSync(at(name)) ? readFileSync(at(name), "utf8") : fallback);
  return {
    ...scene,
    forge,
    project,
    repositories,
    async land(specId, files) {
      const main = await repositories.mainOf("shop");
      const tip = commitTree(scene.hub, [main], files, main);
      const { candidate } = await repositories.buildCar("shop", landing(tip, main, main, { specId, subject: `do ${specId}` }));
      if (candidate === null) throw new Error(`${specId} does not fit`);
      await repositories.advanceMain("shop", candidate.commit, main);
      return candidate.commit;
    },
    origin: (...args) => scene.git(scene.project.repo, ...args),
    requests: () => JSON.parse(readOr("requests.json", "[]")) as KeptRequest[],
    setRequests: (requests) => writeFileSync(at("requests.json"), JSON.stringify(requests)),
    takeCalls() {
      const calls = readOr("calls.jsonl", "")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as string[]);
      rmSync(at("calls.jsonl"), { force: true });
      return calls;
    },
    failWith(failure) {
      if (failure === undefined) rmSync(at("failure.json"));
      else writeFileSync(at("failure.json"), JSON.stringify(failure));
    },
    removeProgram: () => rmSync(at(forge)),
  };
}
