import { patternProblem, patternsOverlap } from "@dispatch/core";
import { type Bringers, endpointsIn, pathsIn, symbolsIn } from "../facts/artefacts.ts";
import { namedFiles } from "../facts/command-files.ts";
import { readCommands } from "../facts/read-commands.ts";
import { textOf } from "../facts/read-passages.ts";
import type { SpecNode } from "../facts/spec-graph.ts";
import { specKey } from "../facts/spec-graph.ts";
import type { Problem } from "../problem.ts";
import { suggestPath } from "../suggest-nearest.ts";
import { isHistory, type LintCase } from "./lint-case.ts";
import { problemAt, problemOn, type ReadableFile } from "./lint-facts.ts";

const told = ["goal", "constraints", "acceptance", "plan", "context", "contract", "notes", "other", "qa"] as const;
/** Work that runs what others have built, rather than naming what it will be called by. */
const exercising = new Set(["test", "integration"]);
const ordering = new Set(["contract", "plan", "research", "chore", "stage"]);

/** F07, DEP002 and DEP003: what a spec uses of the others, and what it says it waits for, are the same. */
export function lintArtefacts(given: LintCase, bringers: Bringers): Problem[] {
  if (isHistory(given)) return [];
  const reads = lintReads(given, bringers);
  return [...reads.problems, ...lintHidden(given, bringers, reads.makers), ...lintFalse(given)];
}

/** F07: what is read is there, or is made by a spec before this one. */
function lintReads(given: LintCase, bringers: Bringers): { problems: Problem[]; makers: ReadonlySet<SpecNode> } {
  const { file, project, uncertain } = given;
  const { spec } = file.parsed;
  const makers = new Set<SpecNode>();
  const index = project?.index ?? null;
  if (index === null || uncertain) return { problems: [], makers };
  const problems = spec.reads.flatMap((path, i): Problem[] => {
    if (patternProblem(path) !== undefined || index.holds(path)) return [];
    const makes = (node: { creates: readonly string[] }) =>
      node.creates.some((entry) => patternProblem(entry) === undefined && patternsOverlap(entry, path));
    if (makes(spec) || given.ancestors().some(makes)) return [];
    const part = `reads[${i}]`;
    const maker = bringers.ofPath(path)[0];
    if (maker !== undefined && maker.key !== given.key) {
      makers.add(maker);
      return [hidden(given, maker, part, `${part} is produced by ${maker.specId}, but ${maker.specId} is not in depends_on`, "F07")];
    }
    const near = suggestPath(path, index.files);
    const nearest = near === undefined ? "" : `; nearest: ${near}`;
    return [
      problemAt(file, {
        id: "MOD002",
        code: "F07",
        part,
        message: `${part} "${path}" exists nowhere, and no spec before this one creates it${nearest}`,
      }),
    ];
  });
  return { problems, makers };
}

function hidden(given: LintCase, maker: SpecNode, part: string, message: string, code: "F07" | "dependency-hidden"): Problem {
  const safe = !given.graph.order.isBefore(given.key, maker.key) && given.graph.order.rankOf(given.key) !== undefined;
  const repair = { do: "add", field: "depends_on", value: maker.specId } as const;
  return problemAt(given.file, { id: "DEP002", code, part, message, ...(safe ? { repair } : {}) });
}

function lintHidden(given: LintCase, bringers: Bringers, known: ReadonlySet<SpecNode>): Problem[] {
  const { file, graph, key, uncertain } = given;
  if (uncertain) return [];
  let before: ReadonlySet<string> | undefined;
  const isAncestor = (node: SpecNode): boolean => {
    before ??= new Set(given.ancestors().map((each) => each.key));
    return before.has(node.key);
  };
  const seen = new Set(known);
  const own = new Set([...symbolsAddedBy(given)]);
  const problems: Problem[] = [];
  const look = (maker: SpecNode | undefined, what: string) => {
    if (maker === undefined || maker.key === key || seen.has(maker) || isAncestor(maker)) return;
    if (maker.known?.state === "merged" || graph.order.isBefore(key, maker.key)) return;
    seen.add(maker);
    problems.push(
      placed(
        hidden(given, maker, "body.goal", `uses ${what} made by ${maker.specId} but does not depend on ${maker.specId}`, "dependency-hidden"),
        file,
        what,
      ),
    );
  };
  const text = textOf(file, told);
  const changed = [...file.parsed.spec.modifies, ...file.parsed.spec.deletes];
  for (const path of [...pathsIn(withoutCommands(text)), ...file.parsed.document.context]) {
    if (given.project?.index?.holds(path) === true || changed.includes(path)) continue;
    for (const maker of bringers.ofPath(path)) look(maker, path);
  }
  for (const symbol of symbolsIn(text)) if (!own.has(symbol)) look(bringers.ofSymbol(symbol), symbol);
  if (exercising.has(file.parsed.spec.type)) for (const name of endpointsIn(text)) look(bringers.ofEndpoint(name), name);
  return problems;
}

function symbolsAddedBy({ node }: LintCase): string[] {
  return node === undefined ? [] : symbolsIn(node.goal).filter((symbol) => node.creates.some((entry) => entry.includes(symbol)));
}

/** Files of commands are the business of VER003. */
function withoutCommands(text: string): string {
  return text.replace(/`[^`\n]*`/g, (span) => (/\s/.test(span) ? " " : span));
}

/** The same problem at the line and column where the name stands. */
function placed(problem: Problem, file: ReadableFile, name: string): Problem {
  const line = file.parsed.lines.find(({ kind, text, fenced, heading }) => !fenced && !heading && kind !== "do-not" && text.includes(name));
  if (line === undefined) return problem;
  const { message, id, code, severity, fix, repair } = problem;
  const moved = problemOn(file, { line: line.line, column: line.text.indexOf(name) + 1 }, { id, code, message, severity });
  return { ...moved, ...(fix === undefined ? {} : { fix }), ...(repair === undefined ? {} : { repair }) };
}

/** DEP003: a dependency nothing of which is used. */
function lintFalse(given: LintCase): Problem[] {
  const { file, graph } = given;
  const { spec } = file.parsed;
  if (graph.order.rankOf(given.key) === undefined) return [];
  return spec.dependsOn.flatMap((id, i) => {
    const node = graph.nodes.get(specKey(spec.project, id));
    if (node === undefined || !isFalse(given, node)) return [];
    const part = `depends_on[${i}]`;
    return [
      problemAt(file, {
        id: "DEP003",
        code: "dependency-false",
        severity: "warning",
        part,
        message: `depends_on ${id} but uses nothing from it; drop it or use after`,
      }),
    ];
  });
}

function isFalse(given: LintCase, dependency: SpecNode): boolean {
  if (!isWellKnown(dependency)) return false;
  if (uses(given.file, dependency)) return false;
  const { spec } = given.file.parsed;
  const others = spec.dependsOn.map((id) => specKey(spec.project, id)).filter((key) => key !== dependency.key);
  const elsewhere = new Set(others.flatMap((key) => [key, ...given.graph.ancestorsOf(key).map((node) => node.key)]));
  return !given.graph.ancestorsOf(dependency.key).some((node) => !elsewhere.has(node.key) && (!isWellKnown(node) || uses(given.file, node)));
}

/** A task of which only the name is known may bring anything; some types are waited for without being used. */
function isWellKnown({ modifies, file }: SpecNode): boolean {
  return modifies !== null && !ordering.has(file?.parsed.spec.type ?? "");
}

const usedCache = new WeakMap<ReadableFile["parsed"], { paths: readonly string[]; text: string; names: ReadonlySet<string> }>();

function usedBy(file: ReadableFile) {
  const before = usedCache.get(file.parsed);
  if (before !== undefined) return before;
  const { spec, document } = file.parsed;
  const text = [spec.title, textOf(file, told), ...spec.contract, ...spec.verify.map(({ run }) => run)].join("\n");
  const commands = [
    ...spec.verify.map(({ run, cwd }) => readCommands(run, cwd)),
    ...document.acceptance.map(({ command }) => readCommands(command ?? "")),
  ];
  const named = commands.flat().flatMap((command) => namedFiles(command).map(({ path }) => path));
  const paths = [...spec.modifies, ...spec.creates, ...spec.deletes, ...spec.reads, ...document.context, ...named, ...pathsIn(text)].filter(
    (path) => patternProblem(path) === undefined,
  );
  const used = { paths: [...new Set(paths)], text, names: new Set([...symbolsIn(text), ...endpointsIn(text)]) };
  usedCache.set(file.parsed, used);
  return used;
}

function uses(file: ReadableFile, node: SpecNode): boolean {
  const { paths, text, names } = usedBy(file);
  const brought = [...(node.modifies ?? []), ...node.creates, ...node.deletes].filter((path) => patternProblem(path) === undefined);
  if (brought.some((mine) => paths.some((path) => patternsOverlap(mine, path)))) return true;
  if ([...symbolsIn(node.goal), ...endpointsIn(node.goal)].some((name) => names.has(name))) return true;
  const short = node.specId.split("-", 1)[0] ?? node.specId;
  if (text.includes(node.specId) || new RegExp(`(?<!\\w)${short}(?![\\w-])`).test(text)) return true;
  return brought.some((path) => {
    const stem = path.slice(path.lastIndexOf("/") + 1).replace(/\.[^.]*$/, "");
    return stem.length >= 6 && /[-_]/.test(stem) && new RegExp(`(?<!\\w)${escaped(stem).replace(/[-_]/g, "[-_ ]")}(?!\\w)`, "i").test(text);
  });
}

function escaped(text: string): string {
  return text.replace(/[.+^${}()|[\]\\*?]/g, "\\$&");
}
