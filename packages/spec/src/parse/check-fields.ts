import type { z } from "zod";
import { type Positions, positionOf } from "../file-text.ts";
import type { ProblemCode, Remark } from "../problem.ts";
import { didYouMean, editDistance } from "../suggest-nearest.ts";
import { type FieldName, type FrontMatter, fieldCodes, specFrontMatter, taskTypes } from "./front-matter.ts";
import type { PlainMap, PlainValue } from "./read-yaml.ts";

const fieldNames = Object.keys(fieldCodes) as FieldName[];
const bodyKeys: Readonly<Record<string, string>> = {
  goal: "## Goal",
  objective: "## Goal",
  constraints: "## Constraints",
  do_not: "## Do not",
  plan: "## Plan",
  notes: "## Notes",
};

/** The fields that are well formed, and a remark for each that is not. A bad field counts as absent. */
export function checkFields(
  values: ReadonlyMap<string, PlainValue>,
  keyPositions: Positions,
  positions: Positions,
): { fields: FrontMatter; remarks: Remark[] } {
  const remarks: Remark[] = [];
  const candidates: Record<string, PlainValue> = {};
  for (const [key, value] of values) {
    if (isField(key)) {
      if (value !== null) candidates[key] = value;
      continue;
    }
    remarks.push(unknownKey(key, positionOf(keyPositions, key), new Set(values.keys())));
  }
  const first = specFrontMatter.safeParse(candidates);
  if (first.success) return { fields: first.data, remarks };
  const bad = new Set<string>();
  for (const issue of first.error.issues) {
    const field = String(issue.path[0]);
    bad.add(field);
    for (const leaf of leavesOf(issue, [])) remarks.push(asRemark(field, leaf, candidates, positions));
  }
  const good = Object.fromEntries(Object.entries(candidates).filter(([key]) => !bad.has(key)));
  return { fields: specFrontMatter.parse(good), remarks };
}

function isField(key: string): key is FieldName {
  return Object.hasOwn(fieldCodes, key);
}

function unknownKey(key: string, position: { line: number; column: number }, given: ReadonlySet<string>): Remark {
  const base = { ...position, id: "FM001", severity: "warning", field: key } as const;
  if (key === "status") return { ...base, code: "status-key", message: "status is kept by the factory, not in the file; remove the field" };
  const heading = bodyKeys[key.toLowerCase().replaceAll("-", "_")];
  const folded = key.replace(/([a-z])([A-Z])/g, "$1_$2");
  const advice = heading === undefined ? didYouMean(folded, fieldNames) || "; own fields start with x-" : `; write it in the body under ${heading}`;
  const remark = { ...base, code: "unknown-key", message: `front matter: "${key}" is not a field${advice}` } as const;
  const meant = heading === undefined ? sureField(folded) : undefined;
  if (meant === undefined || given.has(meant)) return remark;
  return { ...remark, fix: `rename ${key} to ${meant}`, repair: { do: "rename", key, to: meant } };
}

/** The field that a key can only be: the same but for case, dashes and one letter, and no other is as near. */
function sureField(key: string): FieldName | undefined {
  const bare = (name: string) => name.toLowerCase().replace(/[-_ ]/g, "");
  const wanted = bare(key);
  const same = fieldNames.filter((name) => bare(name) === wanted);
  if (same.length === 1) return same[0];
  if (wanted.length < 5) return undefined;
  const near = fieldNames.filter((name) => bare(name).startsWith(wanted.slice(0, 3)) && editDistance(wanted, bare(name), 2) < 2);
  return near.length === 1 ? near[0] : undefined;
}

interface Leaf {
  path: readonly PropertyKey[];
  message: string;
}

/** The innermost complaints of a union are the useful ones, when one branch went further into the value than the others. */
function leavesOf(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[]): Leaf[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ path: [...path, key], message: issue.message }));
  if (issue.code !== "invalid_union") return [{ path, message: issue.message }];
  const entered = issue.errors.find(
    (branch) => branch.length > 0 && branch.every((inner) => inner.path.length > 0 || inner.code === "unrecognized_keys"),
  );
  return entered === undefined ? [{ path, message: issue.message }] : entered.flatMap((inner) => leavesOf(inner, path));
}

function asRemark(field: string, leaf: Leaf, candidates: PlainMap, positions: Positions): Remark {
  const typed = candidates[field];
  const name = nameOf(leaf.path);
  const code = isField(field) ? fieldCodes[field] : "unknown-key";
  const id = code === "F01" ? "ID001" : "FM001";
  const label = Array.isArray(typed) || leaf.path.length === 1 || typeof typed === "object" ? name : field;
  const remark = { ...positionOf(positions, name), id, severity: "error", code, field: label, message: `${label} ${leaf.message}` } as const;
  const better = otherForm(code, valueAt(typed, leaf.path.slice(1)));
  return better === undefined ? remark : { ...remark, fix: `set ${name} to ${better}`, repair: { do: "set", field: name, value: better } };
}

function valueAt(value: PlainValue | undefined, path: readonly PropertyKey[]): PlainValue | undefined {
  let at = value;
  for (const part of path) {
    if (Array.isArray(at) && typeof part === "number") at = at[part];
    else return undefined;
  }
  return at;
}

/** The same value as the field wants it written, where there is no doubt. */
function otherForm(code: ProblemCode, value: PlainValue | undefined): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (code === "F13") return /^p ?[0-3]$/i.test(text) ? text.replace(/\s/g, "").toUpperCase() : undefined;
  const kebab = text
    .replace(/([a-z])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[ _]+/g, "-");
  if (code === "F36") return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(kebab) && kebab !== text ? kebab : undefined;
  if (code === "F12" || code === "F15" || code === "F30" || code === "F29") {
    const lower = text.toLowerCase();
    return lower !== text && allWords.has(lower) ? lower : undefined;
  }
  return undefined;
}

const allWords = new Set<string>([...taskTypes, "cheap", "standard", "strong", "none", "before", "after", "sample", "model", "human"]);

function nameOf(path: readonly PropertyKey[]): string {
  return path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i === 0 ? "" : "."}${String(part)}`)).join("");
}
