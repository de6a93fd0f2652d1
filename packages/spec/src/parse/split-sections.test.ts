import { expect, test } from "vitest";
import { headingKind } from "./heading-kind.ts";
import { splitSections } from "./split-sections.ts";

test.each([
  ["goal", ["Goal", "GOAL:", "Objective", "1. Goal", "**Goal**", "目标", "一、目标", "目标：", "Goal / 目标", "目标 (Goal)"]],
  ["constraints", ["Constraints", "约束", "2) Constraints"]],
  ["acceptance", ["Acceptance", "Acceptance criteria", "Acceptance Criteria:", "验收标准", "验收"]],
  ["do-not", ["Do not", "Don't", "Don’t", "Must NOT do", "不要做", "禁止"]],
  ["plan", ["Plan", "Execution plan", "执行计划"]],
  ["context", ["Context", "Background", "背景"]],
  ["references", ["References", "参考"]],
  ["qa", ["QA", "QA scenarios", "QA场景"]],
  ["contract", ["Contract", "契约"]],
  ["notes", ["Notes", "备注"]],
  ["other", ["Goalkeeper", "Rollout", "", "目标用户"]],
] as const)("headings of %s", (kind, headings) => {
  expect(headings.map((heading) => headingKind(heading))).toEqual(headings.map(() => kind));
});

test("unknown headings are kept whole, and headings in code and comments are text", () => {
  const body = splitSections(
    "# Title\nintro\n## Goal\na\n### Detail\nb\n#### Deep\n### Constraints\nc\n### Own\nd\n```sh\n## Goal\n```\n<!--\n## Goal\n-->\n~~~\n## x\n~~~\n## Rollout ##\ne\n",
    5,
  );
  expect(body.title).toBe("Title");
  expect(body.preamble).toBe("intro");
  expect(body.sections.map(({ kind, heading, level, line, text }) => [kind, heading, level, line, text])).toEqual([
    ["goal", "Goal", 2, 7, "a\n### Detail\nb\n#### Deep"],
    ["constraints", "Constraints", 3, 12, "c"],
    ["other", "Own", 3, 14, "d\n```sh\n## Goal\n```\n<!--\n## Goal\n-->\n~~~\n## x\n~~~"],
    ["other", "Rollout", 2, 25, "e"],
  ]);
});

test("a fence closes only with its own kind, at least as long", () => {
  const body = splitSections("## Goal\n````\n```\n## No\n````\n~~~\n```\n## No\n~~~\n\\`\\`\\`\n## No\n\\`\\`\\`\n## Notes\n", 1);
  expect(body.sections.map(({ heading }) => heading)).toEqual(["Goal", "Notes"]);
  expect(body.openFences).toEqual([]);
});
