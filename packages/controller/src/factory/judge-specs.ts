import { hasErrors, lintSpecs, type ParsedFile, type Preflight, type Problem, type ReadableFile, sortProblems, verifiedFiles } from "@dispatch/spec";
import type { LiveSettings } from "../config/settings.ts";
import { lintPlacement } from "./lint-placement.ts";
import { type FactSources, readLintFacts } from "./read-lint-facts.ts";

export interface Checked {
  problems: readonly Problem[];
  /** Files without errors whose dependencies are fit too. */
  fit: readonly ReadableFile[];
}

/** Tries verify commands on the base; only of files that are free of errors, because it runs what they say. */
export type TryOnBase = (sound: readonly ReadableFile[]) => Promise<ReadonlyMap<string, Preflight>>;

/**
 * What feed, an edit and `dispatch lint` say of a set of specs: the rules, with everything that is known of the factory.
 * What is merged is history: its paths need not fit the repository as it is now, so it is not judged again.
 */
export async function judgeSpecs(
  sources: FactSources & { settings: LiveSettings },
  files: readonly ParsedFile[],
  tryOnBase?: TryOnBase,
): Promise<Checked> {
  const facts = await readLintFacts(sources, files);
  const merged = new Set(
    facts.projects.flatMap(({ id, tasks }) => tasks.filter((task) => task.state === "merged").map((task) => `${id}/${task.specId}`)),
  );
  const isMerged = (file: ParsedFile): file is ReadableFile =>
    file.parsed.outcome === "parsed" && merged.has(`${file.parsed.spec.project}/${file.parsed.spec.id}`);
  const open = files.filter((file) => !isMerged(file));
  const placement = lintPlacement(sources.settings, open);
  let problems = sortProblems([...lintSpecs(open, facts), ...placement]);
  if (tryOnBase !== undefined) {
    const wrong = new Set(problems.filter((problem) => hasErrors([problem])).map((problem) => problem.file));
    const sound = open.filter((file): file is ReadableFile => file.parsed.outcome === "parsed" && !wrong.has(file.file));
    const preflight = await tryOnBase(sound);
    if (preflight.size > 0) problems = sortProblems([...lintSpecs(open, { ...facts, preflight }), ...placement]);
  }
  return { problems, fit: [...verifiedFiles(open, facts, problems), ...files.filter(isMerged)] };
}
