import { FactoryError, type ProjectId, type VerifyCommand } from "@dispatch/core";
import type { BaseView } from "@dispatch/git";
import { type Preflight, type ReadableFile, specKey } from "@dispatch/spec";
import type { PreflightCache } from "./preflight-cache.ts";

/** Runs commands on the base of a project, one after the other, until one fails. Must end by itself. */
export type RunOnBase = (project: ProjectId, base: BaseView, verify: readonly VerifyCommand[]) => Promise<Preflight["outcome"]>;

export interface PreflightParts {
  bases: ReadonlyMap<ProjectId, BaseView>;
  run: RunOnBase;
  cache: PreflightCache;
  /** Tells a person what was found, one line at a time. */
  say(line: string): void;
  signal: AbortSignal;
  /** Milliseconds after which nothing new is begun. */
  limitMs: number;
  now(): number;
}

const atOnce = 2;
/** A check that takes longer on an untouched repository says nothing that is worth the wait. */
const commandLimitSeconds = 120;

/**
 * Runs the verify commands of specs on the base commit, before any work: what passes there proves nothing. Only a spec's
 * own commands are run; a project's are green on main by definition. Outcomes by `specKey`; specs without commands of
 * their own or without a base are left out.
 */
export async function preflightSpecs(parts: PreflightParts, files: readonly ReadableFile[]): Promise<Map<string, Preflight>> {
  const due = files.flatMap((file) => {
    const { spec } = file.parsed;
    const base = parts.bases.get(spec.project);
    return base === undefined || spec.verify.length === 0
      ? []
      : [{ key: specKey(spec.project, spec.id), project: spec.project, base, verify: bounded(spec.verify) }];
  });
  const found = new Map<string, Preflight>();
  const running = new Map<string, Promise<Preflight["outcome"]>>();
  const until = parts.now() + parts.limitMs;
  const queue = [...due];
  async function work(): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { key, project, base, verify } = next;
      const same = JSON.stringify([base.tree, verify]);
      const began = parts.now();
      const outcome =
        running.get(same) ?? (parts.signal.aborted || began >= until ? Promise.resolve("not-run" as const) : outcomeOf(parts, project, base, verify));
      running.set(same, outcome);
      found.set(key, { outcome: await outcome, command: verify.map(({ run }) => run).join(" && ") });
      parts.say(`preflight ${found.size} of ${due.length}: ${key} ${words[await outcome]} (${((parts.now() - began) / 1000).toFixed(1)} s)`);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  return found;
}

const words: Readonly<Record<Preflight["outcome"], string>> = {
  passes: "passes on base already",
  fails: "fails on base, as it should",
  "not-run": "was not tried, or did not end in time",
};

async function outcomeOf(parts: PreflightParts, project: ProjectId, base: BaseView, verify: readonly VerifyCommand[]): Promise<Preflight["outcome"]> {
  const known = await parts.cache.get(base.tree, verify);
  if (known !== undefined) return known;
  try {
    const outcome = await parts.run(project, base, verify);
    if (outcome !== "not-run") await parts.cache.set(base.tree, verify, outcome);
    return outcome;
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    parts.say(`preflight of ${project}: ${error.message}`);
    return "not-run";
  }
}

function bounded(verify: readonly VerifyCommand[]): VerifyCommand[] {
  return verify.map((command) => ({ ...command, timeoutSeconds: Math.min(command.timeoutSeconds, commandLimitSeconds) }));
}
