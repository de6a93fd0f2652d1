import type { Priority, TaskSpec, TaskType } from "@dispatch/core";
import { projectIdPattern, specIdPattern, testsMinOf } from "@dispatch/core";
import type { Position } from "../problem.ts";
import type { FieldComplaintWithCode } from "./cross-check.ts";
import type { FrontMatter } from "./front-matter.ts";
import { type AcceptanceItem, splitClaim } from "./parse-acceptance.ts";
import { assertsOf, type QaScenario, scenarioKind } from "./parse-scenarios.ts";
import { commandsOf, evidenceOf } from "./proof-of-spec.ts";
import type { BodyReading } from "./read-body.ts";
import { readVerify } from "./read-verify.ts";
import type { SpecDocument } from "./spec-document.ts";

const commitTypes: Readonly<Record<TaskType, string>> = {
  feature: "feat",
  bugfix: "fix",
  refactor: "refactor",
  test: "test",
  docs: "docs",
  chore: "chore",
  contract: "docs",
  plan: "docs",
  research: "docs",
  integration: "test",
  stage: "chore",
};

/** Folders of a factory that hold specs of any project. */
const sharedFolders = new Set(["pending", "specs", "examples"]);

/** The spec with a default for every field that is absent or bad. */
export function makeTaskSpec(from: {
  fields: FrontMatter;
  body: BodyReading;
  file: string;
  given: ReadonlySet<string>;
  positions: ReadonlyMap<string, Position>;
  project: string | undefined;
}): {
  spec: TaskSpec;
  remarks: FieldComplaintWithCode[];
} {
  const { fields, body, given } = from;
  const remarks: FieldComplaintWithCode[] = [];
  const stem = stemOf(from.file);
  const id = fields.task_id ?? fields.id ?? stem;
  if (!given.has("task_id") && !given.has("id") && !specIdPattern.test(stem))
    remarks.push({
      code: "F01",
      id: "ID001",
      field: "task_id",
      message: `is missing and the file name ${stem} is not a spec id; add e.g. task_id: S01-schedule-schema and name the file after it`,
    });
  if (fields.task_id !== undefined && fields.id !== undefined && fields.task_id !== fields.id)
    remarks.push({
      code: "F01",
      id: "ID001",
      field: "id",
      message: `"${fields.id}" differs from task_id "${fields.task_id}"; id is another name of task_id, keep one`,
    });
  const project = fields.project ?? from.project ?? folderProject(from.file);
  if (project === undefined && !given.has("project"))
    remarks.push({ code: "F02", field: "project", message: "is missing; add project: NAME, as registered with dispatch project add" });
  const type = fields.type ?? "feature";
  const title = fields.title ?? shortTitle(body.title) ?? titleFromId(id);
  const estimateMinutes = fields.estimate_min ?? 10;
  const verify = readVerify(fields.verify);
  remarks.push(...verify.complaints.map((complaint) => ({ ...complaint, code: "F10" as const })));
  const spec: TaskSpec = {
    id,
    project: project ?? "",
    title,
    type,
    priority: priorityOf(fields.priority),
    dependsOn: unique(fields.depends_on),
    after: unique(fields.after),
    modifies: unique(fields.modifies),
    creates: unique(fields.creates),
    deletes: unique(fields.deletes),
    forbids: unique(fields.forbids),
    reads: unique(fields.reads),
    verify: verify.verify,
    executor: fields.executor ?? "auto",
    estimateMinutes,
    timeoutMinutes: fields.timeout_min ?? Math.max(15, 3 * estimateMinutes),
    attempts: fields.attempts ?? 4,
    allowEmpty: fields.allow_empty ?? false,
    commit: fields.commit ?? `${commitTypes[type]}(${project ?? "spec"}): ${title}`,
    goal: body.textOf("goal"),
    labels: unique(fields.labels),
    resources: { cpus: fields.resources?.cpu ?? 0, memoryMb: fields.resources?.memory ?? 0, gpus: fields.resources?.gpu ?? 0 },
    nodes: unique(fields.nodes),
    nodeLabels: unique(fields.node_labels),
    budget: { tokens: fields.budget?.tokens ?? null, usd: fields.budget?.usd ?? null, turns: fields.budget?.turns ?? null },
    contract: unique(fields.contract),
    direction: fields.direction ?? null,
    acceptance: commandsOf(acceptanceOf(fields, body, from.positions)),
    evidence: evidenceOf(scenariosOf(fields, body, from.positions), evidencePaths(fields, id)),
    testsMin: testsMinOf(fields.tests_min ?? {}),
    waivers: fields.waivers ?? [],
  };
  return { spec, remarks };
}

/** The rest of the file, with defaults. */
export function makeDocument(from: {
  fields: FrontMatter;
  body: BodyReading;
  spec: TaskSpec;
  kept: Readonly<Record<string, unknown>>;
  given: ReadonlySet<string>;
  positions: ReadonlyMap<string, Position>;
}): SpecDocument {
  const { fields, body } = from;
  const source = fields.source;
  return {
    tier: fields.tier ?? "cheap",
    skills: fields.skills ?? [],
    context: fields.context ?? [],
    acceptance: acceptanceOf(fields, body, from.positions),
    qa: scenariosOf(fields, body, from.positions),
    evidence: evidencePaths(fields, from.spec.id),
    testsMin: testsMinOf(fields.tests_min ?? {}),
    requires: fields.requires ?? [],
    questions: fields.questions ?? [],
    assumptions: (fields.assumptions ?? []).map((entry) =>
      typeof entry === "string"
        ? { text: entry, reversible: true, source: null }
        : { text: entry.text, reversible: entry.reversible ?? true, source: entry.source ?? null },
    ),
    review: fields.review ?? null,
    checkpoint: fields.checkpoint ?? "none",
    network: fields.network ?? false,
    env: fields.env ?? [],
    parent: fields.parent ?? null,
    source: source === undefined ? null : { file: source.file, lines: source.lines ?? null, sha256: source.sha256 ?? null },
    lang: fields.lang ?? body.lang,
    x: from.kept,
    constraints: body.textOf("constraints"),
    doNot: body.textOf("do-not"),
    plan: body.textOf("plan"),
    heading: body.title,
    preamble: body.preamble,
    sections: body.sections.map(({ kind, heading, level, line, text }) => ({ kind, heading, level, line, text })),
    given: from.given,
    positions: from.positions,
  };
}

function acceptanceOf(fields: FrontMatter, body: BodyReading, positions: ReadonlyMap<string, Position>): readonly AcceptanceItem[] {
  return fields.acceptance === undefined ? body.acceptance : givenAcceptance(fields.acceptance, positions);
}

function scenariosOf(fields: FrontMatter, body: BodyReading, positions: ReadonlyMap<string, Position>): readonly QaScenario[] {
  return fields.qa === undefined ? body.qa : givenScenarios(fields.qa, positions);
}

function evidencePaths(fields: FrontMatter, id: string): readonly string[] {
  return fields.evidence ?? [`evidence/${id}/`];
}

/** The file's name without its last extension. */
export function stemOf(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1).replace(/\.[^.]*$/, "");
}

function folderProject(file: string): string | undefined {
  const folder = file.split("/").at(-2) ?? "";
  return projectIdPattern.test(folder) && !sharedFolders.has(folder) ? folder : undefined;
}

function shortTitle(heading: string | null): string | undefined {
  return heading === null || heading.length > 120 ? undefined : heading;
}

function titleFromId(id: string): string {
  const slug = id.replace(/^[^-]*-/, "").replaceAll("-", " ");
  return slug === "" ? id : slug;
}

function priorityOf(given: FrontMatter["priority"]): Priority {
  const digit = Number(String(given ?? "2").replace("P", ""));
  return digit === 0 || digit === 1 || digit === 3 ? digit : 2;
}

function unique(values: readonly string[] | undefined): readonly string[] {
  return [...new Set(values)];
}

function givenAcceptance(given: NonNullable<FrontMatter["acceptance"]>, positions: ReadonlyMap<string, Position>): AcceptanceItem[] {
  return given.map((entry, i) => {
    const line = positions.get(`acceptance[${i}]`)?.line ?? 1;
    if (typeof entry === "string") return { id: `AC${i + 1}`, ...splitClaim(entry), line };
    const check = entry.verify === undefined ? {} : splitCheck(entry.verify);
    return { id: entry.id ?? `AC${i + 1}`, text: entry.text, ...check, ...(entry.kind === undefined ? {} : { kind: entry.kind }), line };
  });
}

function splitCheck(verify: string): { command: string; expected?: string } {
  const { command, expected } = splitClaim(verify);
  return command === undefined ? { command: verify } : { command, ...(expected === undefined ? {} : { expected }) };
}

function givenScenarios(given: NonNullable<FrontMatter["qa"]>, positions: ReadonlyMap<string, Position>): QaScenario[] {
  return given.map((entry, i) => ({
    name: entry.name,
    tool: entry.tool,
    kind: scenarioKind(entry.tool),
    preconditions: entry.preconditions ?? "",
    setup: entry.setup ?? [],
    steps: entry.steps,
    asserts: [...assertsOf(entry.steps), ...(entry.asserts ?? [])],
    teardown: entry.teardown ?? [],
    expected: entry.expected,
    evidence: entry.evidence ?? "",
    line: positions.get(`qa[${i}]`)?.line ?? 1,
  }));
}
