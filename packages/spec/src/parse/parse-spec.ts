import type { TaskSpec } from "@dispatch/core";
import { type FileText, positionAt, positionOf, readFileText } from "../file-text.ts";
import { type Problem, type Remark, sortProblems } from "../problem.ts";
import { checkFields } from "./check-fields.ts";
import { crossCheck } from "./cross-check.ts";
import { makeDocument, makeTaskSpec } from "./make-task-spec.ts";
import { readBody, type SpecLine } from "./read-body.ts";
import { readYaml } from "./read-yaml.ts";
import type { SpecDocument } from "./spec-document.ts";
import { splitFrontMatter } from "./split-front-matter.ts";

export interface SpecFile {
  /** The whole file. */
  text: string;
  /** Its path, with `/` between folders; its stem and folder give the default id and project. */
  file: string;
  defaults?: {
    /** Project of a file that names none; without it the name of its folder. */
    project?: string;
  };
}

export type ParsedSpec =
  /** `spec` is only to be used when no problem is an error: a bad field stands in it with its default. `text` is the file as it was given. */
  | { outcome: "parsed"; spec: TaskSpec; document: SpecDocument; lines: readonly SpecLine[]; text: string; problems: readonly Problem[] }
  | { outcome: "unreadable"; problems: readonly Problem[] };

/** Reads one spec file. Never throws for a bad file: all that is wrong comes back as problems, at once. */
export function parseSpec(input: SpecFile): ParsedSpec {
  const file = readFileText(input.text);
  const split = splitFrontMatter(file);
  if (split.outcome === "refused") return { outcome: "unreadable", problems: placed(input.file, split.remarks) };
  const yaml = readYaml(file, split.yaml, split.yamlOffset);
  if (yaml.outcome === "refused") return { outcome: "unreadable", problems: placed(input.file, yaml.remarks) };
  const checked = checkFields(yaml.values, yaml.keyPositions, yaml.positions);
  const body = readBody(file.text.slice(split.bodyOffset), positionAt(file, split.bodyOffset).line);
  const positions = new Map([...body.positions, ...yaml.positions]);
  const given = new Set([...yaml.keyPositions.keys()].filter((name) => !/[.[]/.test(name)));
  const { spec, remarks: specRemarks } = makeTaskSpec({
    fields: checked.fields,
    body,
    file: input.file,
    given,
    positions,
    project: input.defaults?.project,
  });
  const document = makeDocument({ fields: checked.fields, body, spec, kept: yaml.kept, given, positions });
  const remarks: Remark[] = [
    ...yaml.remarks,
    ...checked.remarks,
    ...body.remarks,
    ...[...specRemarks, ...crossCheck(checked.fields, spec, document, body)].map(
      (complaint): Remark => ({
        ...positionOf(positions, complaint.field),
        id: "FM001",
        severity: "error",
        ...complaint,
        message: `${complaint.field} ${complaint.message}`,
      }),
    ),
  ];
  return {
    outcome: "parsed",
    spec,
    document,
    lines: body.lines,
    text: input.text,
    problems: placed(
      input.file,
      remarks.map((remark) => inside(file, remark)),
    ),
  };
}

function inside(file: FileText, remark: Remark): Remark {
  const start = file.lineStarts[remark.line - 1];
  return start === undefined ? { ...remark, ...positionAt(file, file.text.length) } : remark;
}

function placed(file: string, remarks: readonly Remark[]): Problem[] {
  return sortProblems(remarks.map((remark) => ({ file, ...remark })));
}
