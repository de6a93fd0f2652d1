import type { TaskSpec } from "@dispatch/core";
import { type ParsedSpec, parseSpec, type SpecDocument } from "@dispatch/spec";

type Parsed = Extract<ParsedSpec, { outcome: "parsed" }>;

/** Front matter fields by the name they have in the file, in the order of the handbook. */
const specFields: readonly (readonly [name: string, field: keyof TaskSpec])[] = [
  ["task_id", "id"],
  ["project", "project"],
  ["title", "title"],
  ["type", "type"],
  ["priority", "priority"],
  ["depends_on", "dependsOn"],
  ["after", "after"],
  ["modifies", "modifies"],
  ["creates", "creates"],
  ["deletes", "deletes"],
  ["forbids", "forbids"],
  ["reads", "reads"],
  ["verify", "verify"],
  ["executor", "executor"],
  ["estimate_min", "estimateMinutes"],
  ["timeout_min", "timeoutMinutes"],
  ["attempts", "attempts"],
  ["allow_empty", "allowEmpty"],
  ["commit", "commit"],
  ["labels", "labels"],
  ["resources", "resources"],
  ["nodes", "nodes"],
  ["node_labels", "nodeLabels"],
  ["budget", "budget"],
  ["contract", "contract"],
  ["direction", "direction"],
  ["waivers", "waivers"],
];
const documentFields: readonly (readonly [name: string, field: keyof SpecDocument])[] = [
  ["tier", "tier"],
  ["skills", "skills"],
  ["context", "context"],
  ["qa", "qa"],
  ["evidence", "evidence"],
  ["tests_min", "testsMin"],
  ["requires", "requires"],
  ["questions", "questions"],
  ["assumptions", "assumptions"],
  ["review", "review"],
  ["checkpoint", "checkpoint"],
  ["network", "network"],
  ["env", "env"],
  ["parent", "parent"],
  ["source", "source"],
  ["lang", "lang"],
  ["constraints", "constraints"],
  ["do not", "doNot"],
  ["plan", "plan"],
  ["preamble", "preamble"],
];
/** Fields whose default follows from other fields: they count as changed only where somebody typed them. */
const derived = new Set(["commit", "timeout_min", "evidence", "lang"]);
/** Sections that the fields above stand for. */
const known = new Set(["goal", "constraints", "acceptance", "do-not", "plan", "qa"]);

/**
 * What differs between two texts of a spec: front matter fields and body sections by their names, in the order of the
 * handbook. `layout` when they say the same in another form; empty when they are equal byte for byte.
 */
export function compareSpecs(before: string, after: string, file: string): readonly string[] {
  if (before === after) return [];
  const [left, right] = [parseSpec({ text: before, file }), parseSpec({ text: after, file })];
  if (left.outcome !== "parsed" || right.outcome !== "parsed") return ["front matter"];
  const changed = [
    ...specFields.filter(([name, field]) => counts(name, left, right) && differ(left.spec[field], right.spec[field])).map(([name]) => name),
    ...(differ(left.spec.goal, right.spec.goal) ? ["goal"] : []),
    ...(differ(criteriaOf(left), criteriaOf(right)) ? ["acceptance"] : []),
    ...documentFields
      .filter(([name, field]) => counts(name, left, right) && differ(withoutLines(left.document[field]), withoutLines(right.document[field])))
      .map(([name]) => name),
    ...changedExtras(left, right),
    ...changedSections(left, right),
  ];
  return changed.length === 0 ? ["layout"] : changed;
}

function counts(name: string, left: Parsed, right: Parsed): boolean {
  return !derived.has(name) || left.document.given.has(name) || right.document.given.has(name);
}

function criteriaOf({ document }: Parsed): unknown {
  return withoutLines(document.acceptance);
}

/** Where a part stands in the file is no part of what it says. */
function withoutLines(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((entry: unknown) => (typeof entry === "object" && entry !== null ? { ...entry, line: 0 } : entry));
}

function changedExtras(left: Parsed, right: Parsed): string[] {
  const [before, after] = [left.document.x, right.document.x];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => differ(before[name], after[name]));
}

/** Headings that fields do not stand for, whose text differs, or that only one of the two has. */
function changedSections(left: Parsed, right: Parsed): string[] {
  const [before, after] = [sectionsOf(left), sectionsOf(right)];
  return [...new Set([...before.keys(), ...after.keys()])].filter((heading) => before.get(heading) !== after.get(heading));
}

function sectionsOf({ document }: Parsed): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { kind, heading, text } of document.sections) {
    if (!known.has(kind)) texts.set(heading, `${texts.get(heading) ?? ""}\n${text.trim()}`);
  }
  return texts;
}

function differ(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) !== JSON.stringify(right);
}
