import { anchorKey, coversPath, missingExamples, patternProblem } from "@dispatch/core";
import { endpointsIn } from "../facts/artefacts.ts";
import { textOf } from "../facts/read-passages.ts";
import type { Problem } from "../problem.ts";
import { suggestNearest } from "../suggest-nearest.ts";
import { createsPath, isHistory, type LintCase } from "./lint-case.ts";
import { type ContractFile, problemAt, problemOn } from "./lint-facts.ts";

/** CON001 with F20: endpoints, events and shared types are taken from the contract, and the contract shows them by example. */
export function lintContract(given: LintCase): Problem[] {
  const { spec } = given.file.parsed;
  if (isHistory(given) || spec.type === "contract" || given.uncertain) return [];
  return [...lintReferences(given), ...lintNamed(given)];
}

/** Whether the spec or one before it writes the file: then what it will say is not known. */
function isBeingWritten(given: LintCase, path: string): boolean {
  const { spec } = given.file.parsed;
  const touches = (entries: readonly string[]) => entries.some((entry) => patternProblem(entry) === undefined && coversPath(entry, path));
  if (touches(spec.modifies) || createsPath(spec, path)) return true;
  return given.ancestors().some((node) => touches(node.modifies ?? []) || createsPath(node, path));
}

function lintReferences(given: LintCase): Problem[] {
  const { file, project } = given;
  const files = project?.contractFiles ?? null;
  if (files === null) return [];
  return file.parsed.spec.contract.flatMap((reference, i): Problem[] => {
    const part = `contract[${i}]`;
    const at = reference.indexOf("#");
    const path = at === -1 ? reference : reference.slice(0, at);
    const anchor = at === -1 ? "" : reference.slice(at + 1).trim();
    if (patternProblem(path) !== undefined) return [];
    const entry = files.find((each) => each.file === path);
    if (isBeingWritten(given, path)) return [];
    if (entry === undefined) {
      if (project?.index == null || project.index.holds(path)) return [];
      return [problemAt(file, { id: "CON001", code: "F20", part, message: `contract file ${path} does not exist${known(files)}` })];
    }
    return anchor === "" ? [] : lintAnchor(given, { part, path, anchor, entry });
  });
}

function lintAnchor({ file }: LintCase, at: { part: string; path: string; anchor: string; entry: ContractFile }): Problem[] {
  const found = at.entry.anchors.find(({ anchor }) => anchorKey(anchor) === anchorKey(at.anchor));
  if (found === undefined) {
    const names = at.entry.anchors.map(({ anchor }) => anchor);
    const near = suggestNearest(at.anchor, names);
    const hint = near === undefined ? `; known: ${names.slice(0, 6).join(", ") || "none"}` : `; did you mean ${near}?`;
    return [problemAt(file, { id: "CON001", code: "F20", part: at.part, message: `contract anchor "${at.anchor}" not found in ${at.path}${hint}` })];
  }
  const missing = missingExamples(found);
  if (missing === "") return [];
  const message = `${found.anchor} has no ${missing} example in ${at.path}; add request and response JSON`;
  return [problemAt(file, { id: "CON001", code: "contract-incomplete", part: at.part, message })];
}

function known(files: readonly ContractFile[]): string {
  return files.length === 0 ? "" : `; known: ${files.map(({ file }) => file).join(", ")}`;
}

const maxTold = 10;

/** Endpoints by their form; events and types by the names that the contract files have. */
function lintNamed(given: LintCase): Problem[] {
  const { file, project } = given;
  const { spec } = file.parsed;
  const files = project?.contractFiles ?? [];
  const whole = files.filter(({ file: path }) => spec.contract.includes(path));
  const cited = [
    ...spec.contract.map((reference) => anchorKey(reference.slice(reference.indexOf("#") + 1))),
    ...whole.flatMap(({ anchors }) => anchors.map(({ anchor }) => anchorKey(anchor))),
  ];
  if (files.some(({ file: path }) => isBeingWritten(given, path))) return [];
  const text = textOf(file, ["goal", "constraints", "acceptance"]).replace(/https?:\/\/\S+/g, " ");
  const endpoints = endpointsIn(text)
    .filter((name) => !cited.some((key) => sameEndpoint(key, name)))
    .slice(0, maxTold);
  const named = files
    .flatMap(({ anchors }) => anchors)
    .flatMap(({ anchor }) => {
      const [kind = "", name = ""] = anchor.split(" ");
      return /^(?:event|type)$/.test(kind) && holdsName(text, name) && !cited.includes(anchorKey(anchor)) ? [{ anchor, name }] : [];
    });
  const first = files[0]?.file;
  const severity = first === undefined ? "warning" : "error";
  return [...endpoints.map((name) => ({ anchor: name, name })), ...named].map(({ anchor, name }) => {
    const line = file.parsed.lines.find(
      (each) => !each.fenced && !each.heading && /^(?:goal|constraints|acceptance)$/.test(each.kind) && each.text.includes(name),
    );
    const place = { line: line?.line ?? 1, column: (line?.text.indexOf(name) ?? 0) + 1 };
    const where = first ?? "SHARED_CONTEXT.md";
    const holder = files.find(({ anchors }) => anchors.some((each) => sameEndpoint(anchorKey(each.anchor), anchor)));
    const message =
      holder === undefined && files.length > 0
        ? `${anchor} has no example in ${where}; add request and response JSON there, and cite it under contract`
        : `${anchor} is named but not cited; add contract: ["${holder?.file ?? where}#${anchor}"]`;
    return problemOn(file, place, { id: "CON001", code: "contract-uncited", severity, message });
  });
}

/** A spec may leave out what stands before the path everywhere: `POST /schedule` is `POST /api/v1/schedule`. */
function sameEndpoint(key: string, name: string): boolean {
  const [method = "", path = ""] = anchorKey(name).split(" ");
  const [theirs = "", full = ""] = key.split(" ");
  return method === theirs && (full === path || full.endsWith(path) || path.endsWith(full));
}

function holdsName(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    if (!/[\w$]/.test(text.charAt(at - 1)) && !/[\w$]/.test(text.charAt(at + name.length))) return true;
  }
  return false;
}
