import { createHash } from "node:crypto";
import { type Log, type NodePool, type ProjectSource, taskIdOf, type World } from "@dispatch/core";
import type { Commands } from "@dispatch/engine";
import type { GitRepositories } from "@dispatch/git";
import { type ParsedFile, parseSpec, type ReadableFile } from "@dispatch/spec";
import type { LiveSettings } from "../config/settings.ts";
import { type Checked, judgeSpecs } from "./judge-specs.ts";
import { openPreflightCache } from "./preflight-cache.ts";
import { preflightSpecs } from "./preflight-specs.ts";
import { runOnNode } from "./run-on-node.ts";

export interface FeedParts {
  dir: string;
  world: World;
  commands: Commands;
  settings: LiveSettings;
  repositories: Pick<GitRepositories, "openHub" | "openBase" | "sendCommit">;
  nodes: NodePool;
  log: Log;
  now(): number;
}

/** A spec file with its text. */
export interface SpecText extends ParsedFile {
  text: string;
}

/** `path` is relative to the factory. */
export function readSpecText(project: string, { path, text }: { path: string; text: string }): SpecText {
  return { file: path, text, parsed: parseSpec({ text, file: path, defaults: { project } }) };
}

const preflightLimitMs = 240_000;

/** Judges texts of one project against its main and the ledger. Opens the hub where there is none yet. */
export async function checkSpecs(parts: FeedParts, source: ProjectSource, files: readonly SpecText[]): Promise<Checked> {
  await parts.repositories.openHub(source);
  const base = await parts.repositories.openBase(source);
  const bases = new Map(base === undefined ? [] : [[source.id, base]]);
  const digests = new Map(files.map(({ file, text }) => [file, digestOf(text)]));
  const tasks = [...parts.world.tasks.values()];
  return judgeSpecs({ settings: parts.settings, bases, tasks }, files, (sound) => {
    const due = sound.filter((file) => isNew(parts, file, digests) && wantsPreflight(parts, file));
    return preflightSpecs(
      {
        bases,
        run: runOnNode(parts),
        cache: openPreflightCache(parts.dir, parts.now),
        say: (line) => parts.log.info({ project: source.id }, line),
        signal: new AbortController().signal,
        limitMs: preflightLimitMs,
        now: parts.now,
      },
      due,
    );
  });
}

/** What was fed already was tried when it was new; by now other tasks may have landed what it needs. */
function isNew({ world }: FeedParts, { file, parsed: { spec } }: ReadableFile, digests: ReadonlyMap<string, string>): boolean {
  return world.tasks.get(taskIdOf(spec.project, spec.id))?.digest !== digests.get(file);
}

/**
 * A bugfix whose check is green before the fix has not reproduced the bug, whatever the project says. For other specs a
 * green check is a warning, and running them costs time of a node: the project decides.
 */
function wantsPreflight({ settings }: FeedParts, { parsed: { spec } }: ReadableFile): boolean {
  return spec.type === "bugfix" || settings.current().factory.projects[spec.project]?.preflight === true;
}

/** sha256 of a spec file, as the ledger keeps it. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
