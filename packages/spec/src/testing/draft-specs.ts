import { parseContract } from "../contract/parse-contract.ts";
import { readManifest } from "../facts/read-manifest.ts";
import { type DirectionFacts, defaultProtectedPaths, type LintFacts, type ProjectFacts } from "../lint/lint-facts.ts";
import { lintSpecs } from "../lint/lint-specs.ts";
import { parseSpec } from "../parse/parse-spec.ts";
import type { RuleId } from "../problem.ts";

const files = [
  "package.json",
  "Makefile",
  "lib/a.ts",
  "lib/b.ts",
  "lib/c.ts",
  "lib/schedule.ts",
  "test/a.test.ts",
  "docs/use.md",
  "api/routes.ts",
  "SHARED_CONTEXT.md",
  ...Array.from({ length: 30 }, (_, i) => `gen/file-${i}.ts`),
];
const packageJson = JSON.stringify({ scripts: { test: "vitest run", build: "tsc" }, devDependencies: { vitest: "4", typescript: "5" } });
const contractText =
  '## POST /schedule\nRequest:\n```json\n{"a":1}\n```\nResponse 200:\n```json\n{"b":2}\n```\n## GET /posts\nResponse:\n```json\n[]\n```\n## POST /bare\nLater.\n## event post.created\n```json\n{"id":1}\n```\n## type ScheduleItem\n```json\n{"id":1}\n```\n';
export const contractFiles = [{ file: "SHARED_CONTEXT.md", ...parseContract("SHARED_CONTEXT.md", contractText) }];
const manifests = [
  ["package.json", packageJson],
  ["Makefile", "check: lint\n\techo ok\nlint:\n\techo lint\n"],
].flatMap(([file = "", text = ""]) => readManifest(file, text) ?? []);

export const direction: DirectionFacts = {
  id: "D-1",
  file: "inputs/directions/D-1.md",
  requirements: [
    { id: "REQ-1", text: "posts are scheduled", line: 4 },
    { id: "REQ-2", text: "100 at once", line: 5 },
  ],
  mustNot: [{ text: "no self registration", keywords: ["register page", "注册页"] }],
  questions: [
    { id: "Q-1", answered: true },
    { id: "Q-2", answered: false },
  ],
};

export function factsWith(over: Partial<ProjectFacts> = {}, more: Partial<LintFacts> = {}): LintFacts {
  return {
    projects: [{ id: "demo", hasVerify: true, files, protectedPaths: defaultProtectedPaths, tasks: [], manifests, ...over }],
    executors: null,
    ...more,
  };
}

export interface Draft {
  id?: string;
  head?: string;
  goal?: string;
  constraints?: string;
  acceptance?: string;
  doNot?: string;
  more?: string;
}

export const good = "- [ ] bad input is refused: `npm test` -> exit 0";

function textOf({ id = "S01-demo", head = "modifies: [lib/a.ts]", goal, constraints, acceptance, doNot, more }: Draft): string {
  return [
    "---",
    `task_id: ${id}`,
    head,
    "---",
    "## Goal",
    goal ?? "Change addOne() of lib/a.ts.",
    "## Constraints",
    constraints ?? "- at most 50 posts",
    "## Acceptance",
    acceptance ?? good,
    "## Do not",
    doNot ?? "- no new dependency",
    more ?? "",
  ].join("\n");
}

export function lint(drafts: readonly Draft[], facts = factsWith()) {
  const set = drafts.map((draft) => {
    const file = `specs/demo/${draft.id ?? "S01-demo"}.md`;
    return { file, parsed: parseSpec({ text: textOf(draft), file }) };
  });
  return lintSpecs(set, facts);
}

export function said(drafts: readonly Draft[], id: RuleId, facts = factsWith()): string[] {
  return lint(drafts, facts)
    .filter((problem) => problem.id === id)
    .map(({ code, severity }) => `${code} ${severity}`);
}

/** What a rule must say of one spec; an empty list where it must be silent. */
export type Row = readonly [string, Draft, readonly string[]];

export const criterion = (text: string): Draft => ({ acceptance: `${good}\n- [ ] ${text}` });
