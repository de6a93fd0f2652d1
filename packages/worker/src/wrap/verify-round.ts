import type { CommandResult, Finding, TestName } from "@dispatch/core";
import { type Baseline, baselineOf, deservesRetry, needsBaseline, turnedGreen } from "@dispatch/gates";
import { restoreTree } from "../git/restore-tree.ts";
import { openTestMemory, type TestMemory } from "./keep-baseline.ts";
import { runOnTree } from "./run-on-tree.ts";
import { type CommandPlace, runCommands } from "./run-verify-commands.ts";
import { throwIfStopped, waitForRoom } from "./wrapper.ts";

/** What the verify commands returned on one tree. */
export interface SeenTree {
  tree: string;
  verify: readonly CommandResult[];
}

export interface VerifiedRound extends SeenTree {
  remarks: readonly Finding[];
  /** Paths that the commands wrote to; taken back. */
  produced: readonly string[];
  baseline: Baseline | undefined;
  flaky: readonly TestName[];
}

/**
 * Runs the verify commands. Where they are red, they are run on the base too, unless that is known, and again on this
 * tree when nothing but known flakes is red. `before`: the round before, which may have been about the same tree.
 */
export async function verifyRound(place: CommandPlace, tree: string, before: SeenTree | null): Promise<VerifiedRound> {
  const { wrapper, workspace } = place;
  const memory = openTestMemory(workspace.repository, wrapper.job, wrapper.files.baseline);
  const first = await runHere(place, "verify");
  const baseline = needsBaseline(first.results) ? await baselineFor(place, tree, memory) : undefined;
  const steady = before?.tree === tree ? turnedGreen(before.verify, first.results) : [];
  const last = deservesRetry(first.results, baseline ?? null, memory.knownFlakes(Date.now())) ? await runHere(place, "verify again") : null;
  const flaky = [...steady, ...(last === null ? [] : turnedGreen(first.results, last.results))];
  memory.addFlakes(flaky, Date.now());
  return {
    tree,
    verify: last?.results ?? first.results,
    remarks: [...first.remarks, ...(last?.remarks ?? [])],
    produced: [...new Set([...first.produced, ...(last?.produced ?? [])])],
    baseline,
    flaky,
  };
}

async function runHere(place: CommandPlace, word: string): Promise<Awaited<ReturnType<typeof runCommands>> & { produced: readonly string[] }> {
  const { wrapper, workspace } = place;
  const ran = await runCommands(place, word, wrapper.job.verify);
  throwIfStopped(wrapper);
  const produced = ran.results.length === 0 ? [] : await waitForRoom(wrapper, () => restoreTree(workspace));
  return { ...ran, produced };
}

async function baselineFor(place: CommandPlace, tree: string, memory: TestMemory): Promise<Baseline | undefined> {
  const known = memory.readBaseline();
  if (known !== undefined) return known;
  const { base } = place.wrapper.job;
  const results = await runOnTree(place, tree, async () => base, "verify on the base");
  throwIfStopped(place.wrapper);
  if (results === undefined) return undefined;
  const baseline = baselineOf(base, results);
  memory.keepBaseline(baseline);
  return baseline;
}
