import { patternProblem, patternsOverlap, type TaskSpec } from "@dispatch/core";
import type { ProblemCode, RuleId } from "../problem.ts";
import type { FrontMatter } from "./front-matter.ts";
import type { BodyReading } from "./read-body.ts";
import type { FieldComplaint } from "./read-verify.ts";
import type { SpecDocument } from "./spec-document.ts";

export interface FieldComplaintWithCode extends FieldComplaint {
  code: ProblemCode;
  /** FM001 unless named. */
  id?: RuleId;
}

/** What is wrong between fields that are each well formed. */
export function crossCheck(fields: FrontMatter, spec: TaskSpec, document: SpecDocument, body: BodyReading): FieldComplaintWithCode[] {
  return [...overlaps(spec), ...times(fields, spec), ...givenTwice(fields, document, body), ...evidence(document), ...contracts(spec)];
}

function overlaps(spec: TaskSpec): FieldComplaintWithCode[] {
  const own = [
    ...spec.modifies.map((path) => ["modifies", path] as const),
    ...spec.creates.map((path) => ["creates", path] as const),
    ...spec.deletes.map((path) => ["deletes", path] as const),
  ].filter(([, path]) => patternProblem(path) === undefined);
  return spec.forbids.flatMap((forbidden, i): FieldComplaintWithCode[] => {
    if (patternProblem(forbidden) !== undefined) return [];
    const hit = own.find(([, path]) => patternsOverlap(forbidden, path));
    if (hit === undefined) return [];
    return [
      { code: "F06", id: "SCOPE002", field: `forbids[${i}]`, message: `"${forbidden}" contains your own ${hit[0]} ${hit[1]}; narrow one of them` },
    ];
  });
}

function times(fields: FrontMatter, spec: TaskSpec): FieldComplaintWithCode[] {
  if (fields.timeout_min === undefined || fields.timeout_min > spec.estimateMinutes) return [];
  return [
    {
      code: "F18",
      field: "timeout_min",
      message: `${fields.timeout_min} is ${fields.timeout_min < spec.estimateMinutes ? "below" : "not above"} estimate_min ${spec.estimateMinutes}`,
    },
  ];
}

function givenTwice(fields: FrontMatter, document: SpecDocument, body: BodyReading): FieldComplaintWithCode[] {
  const complaints: FieldComplaintWithCode[] = [];
  const twice = "is given twice (front matter and body); keep one";
  if (fields.acceptance !== undefined && body.acceptance.length > 0) complaints.push({ code: "F22", field: "acceptance", message: twice });
  if (fields.qa !== undefined && body.qa.length > 0) complaints.push({ code: "F23", field: "qa", message: twice });
  const seen = new Set<string>();
  for (const [i, item] of document.acceptance.entries()) {
    if (seen.has(item.id))
      complaints.push({ code: "F22", field: `acceptance[${i}]`, message: `has the id ${item.id} of an earlier criterion; ids are unique` });
    seen.add(item.id);
  }
  return complaints;
}

function evidence(document: SpecDocument): FieldComplaintWithCode[] {
  return document.evidence.flatMap((path, i): FieldComplaintWithCode[] => {
    if (!document.given.has("evidence")) return [];
    if (patternProblem(path) === undefined && path.startsWith("evidence/")) return [];
    return [{ code: "F24", field: `evidence[${i}]`, message: `path ${path} leaves the evidence folder; start it with evidence/` }];
  });
}

function contracts(spec: TaskSpec): FieldComplaintWithCode[] {
  return spec.contract.flatMap((reference, i): FieldComplaintWithCode[] => {
    const path = reference.split("#", 1)[0] ?? "";
    const wrong = patternProblem(path);
    if (wrong === undefined) return [];
    return [{ code: "F20", field: `contract[${i}]`, message: `"${reference}": the file ${wrong}; write e.g. SHARED_CONTEXT.md#POST /x` }];
  });
}
