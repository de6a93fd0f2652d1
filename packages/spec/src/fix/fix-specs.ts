import { buildSpecGraph, specKey } from "../facts/spec-graph.ts";
import { isReadable, type LintFacts, type ParsedFile, type ReadableFile } from "../lint/lint-facts.ts";
import { lintSpecs } from "../lint/lint-specs.ts";
import { parseSpec } from "../parse/parse-spec.ts";
import type { Problem, Repair, RuleId } from "../problem.ts";
import { editFrontMatter } from "./edit-front-matter.ts";

export interface FixedSpec {
  file: string;
  /** The whole file: as it was, but for the fixes. */
  text: string;
  fixes: readonly { id: RuleId; line: number; what: string }[];
}

const maxRounds = 20;

/**
 * Mends what can be mended without changing what a spec means. Gives the files that changed; fixing their texts again
 * changes nothing, and no problem that was fixed is left.
 */
export function fixSpecs(set: readonly ParsedFile[], facts: LintFacts): FixedSpec[] {
  let files = [...set];
  const fixes = new Map<string, { id: RuleId; line: number; what: string }[]>();
  const made = new Set<string>();
  for (let round = 0; round < maxRounds; round++) {
    const mendable = lintSpecs(files, facts).filter(({ repair }) => repair !== undefined);
    const waits = waitGraph(files, facts);
    let changed = false;
    files = files.map((file) => {
      let now = file;
      for (const problem of mendable) {
        if (problem.file !== file.file || !isReadable(now) || problem.repair === undefined) continue;
        const name = JSON.stringify([problem.file, problem.code, problem.repair]);
        if (made.has(name) || isRenamed(file, now)) continue;
        const next = mend(now, problem, problem.repair, waits);
        // It may be possible in a later round, when others were mended.
        if (next === undefined) continue;
        made.add(name);
        now = next;
        changed = true;
        fixes.set(file.file, [...(fixes.get(file.file) ?? []), { id: problem.id, line: problem.line, what: problem.fix ?? "" }]);
      }
      return now;
    });
    if (!changed) break;
  }
  return files.filter(isReadable).flatMap(({ file, parsed }) => {
    const own = fixes.get(file);
    return own === undefined ? [] : [{ file, text: parsed.text, fixes: own }];
  });
}

/** Whether the spec has another id by now: what the others and the graph know of it is asked anew in the next round. */
function isRenamed(before: ParsedFile, now: ParsedFile): boolean {
  return isReadable(before) && isReadable(now) && before.parsed.spec.id !== now.parsed.spec.id;
}

/** The file after the repair; undefined when it cannot be made, would not help, or would close a cycle. */
function mend(file: ReadableFile, problem: Problem, repair: Repair, waits: WaitGraph): ReadableFile | undefined {
  const { spec, document, text } = file.parsed;
  const [from, to] = [specKey(spec.project, spec.id), specKey(spec.project, repair.do === "add" ? repair.value : "")];
  if (repair.do === "add" && (!waits.isOwner(from, file.file) || waits.reaches(to, from))) return undefined;
  const edited = editFrontMatter(text, document.positions, repair);
  if (edited === undefined) return undefined;
  const parsed = parseSpec({ text: edited, file: file.file, defaults: spec.project === "" ? {} : { project: spec.project } });
  if (parsed.outcome !== "parsed" || !helps(file, { file: file.file, parsed }, problem, repair)) return undefined;
  if (repair.do === "add") waits.add(from, to);
  return { file: file.file, parsed };
}

/** Whether the new text says what the repair promises, and has no problem that the old one had not. */
function helps(before: ReadableFile, after: ReadableFile, problem: Problem, repair: Repair): boolean {
  const names = (file: ReadableFile) => file.parsed.problems.map(({ code, field, id }) => `${id} ${code} ${field ?? ""}`);
  const [old, now] = [names(before), names(after)];
  if (now.some((name) => !old.includes(name))) return false;
  const { spec, document } = after.parsed;
  switch (repair.do) {
    case "rename":
      return document.given.has(repair.to) && !document.given.has(repair.key);
    case "add":
      return (repair.field === "after" ? spec.after : spec.dependsOn).includes(repair.value);
    case "set":
      if (repair.field === "task_id" || repair.field === "id") return spec.id === repair.value;
      if (repair.field === "verify") return spec.verify.length > 0;
      if (problem.code === "path-form")
        return [...spec.modifies, ...spec.creates, ...spec.deletes, ...spec.forbids, ...spec.reads, ...document.context].includes(
          String(repair.value),
        );
      return !now.includes(`${problem.id} ${problem.code} ${problem.field ?? ""}`);
  }
}

/** Who waits for whom, kept up to date while edges are added. */
interface WaitGraph {
  /** Whether the spec of this key is the one of this file, rather than of another with the same id. */
  isOwner(key: string, file: string): boolean;
  add(from: string, to: string): void;
  reaches(from: string, to: string): boolean;
}

function waitGraph(files: readonly ParsedFile[], facts: LintFacts): WaitGraph {
  const edges = new Map<string, readonly string[]>();
  const owners = new Map<string, string | undefined>();
  for (const node of buildSpecGraph(files.filter(isReadable), facts).nodes.values()) {
    const targets = [...node.dependsOn, ...node.after].map((id) => specKey(node.project, id));
    edges.set(node.key, targets);
    owners.set(node.key, node.file?.file);
  }
  return {
    isOwner: (key, file) => owners.get(key) === file,
    add: (from, to) => void edges.set(from, [...(edges.get(from) ?? []), to]),
    reaches(from, to) {
      const seen = new Set([from]);
      const open = [from];
      for (let key = open.pop(); key !== undefined; key = open.pop()) {
        if (key === to) return true;
        for (const next of edges.get(key) ?? []) {
          if (seen.has(next)) continue;
          seen.add(next);
          open.push(next);
        }
      }
      return false;
    },
  };
}
