import { describe, expect, test } from "vitest";
import { defaultProtectedPaths, type LintFacts } from "./lint/lint-facts.ts";
import { lintSpecs } from "./lint/lint-specs.ts";
import { specFrontMatterSchema } from "./parse/front-matter.ts";
import { parseSpec } from "./parse/parse-spec.ts";
import { exampleSpec, type SpecTemplateInput, specTemplateVersion, writeSpecTemplate } from "./spec-template.ts";

const facts: LintFacts = {
  projects: [{ id: "example", hasVerify: false, files: ["backend/schemas/post.py"], protectedPaths: defaultProtectedPaths, tasks: [] }],
  executors: [],
};

function lint(input: SpecTemplateInput) {
  const file = `specs/examples/${input.id}.md`;
  const parsed = parseSpec({ text: writeSpecTemplate(input), file });
  return { parsed, problems: lintSpecs([{ file, parsed }], facts) };
}

describe("the template", () => {
  test.each(["en", "zh"] as const)("filled in with the example passes every rule (%s)", async (lang) => {
    const { parsed, problems } = lint({ ...exampleSpec, lang });
    expect(problems).toEqual([]);
    expect(parsed).toMatchObject({ document: { x: { "x-template": specTemplateVersion } } });
    if (parsed.outcome === "parsed") {
      expect(parsed.document.sections.map(({ kind }) => kind)).toEqual(["goal", "constraints", "acceptance", "do-not", "plan"]);
      expect(parsed.document.plan.split("\n")).toHaveLength(6);
    }
    await expect(writeSpecTemplate({ ...exampleSpec, lang })).toMatchFileSnapshot(`../../../test/golden/specs/template-${lang}.md`);
  });

  test("left empty is not ready", () => {
    const { problems } = lint({ id: "S01-x", project: "example" });
    expect(problems.map(({ id }) => id).sort()).toEqual(["AC001", "GOAL001", "MOD001", "VER001"]);
  });

  test("keeps every text as it was given", () => {
    const values = [
      "a: b",
      "- x",
      "#c",
      "true",
      "*.py",
      "a, b",
      "[x]",
      '"q"',
      "'",
      "it's",
      "@x",
      "%x",
      "中文",
      "a\\b",
      "1.10",
      "null",
      "x #y",
      "{a}",
      "!t",
      "&a",
      "|",
    ];
    for (const title of values) {
      const { parsed } = lint({ id: "S01-x", project: "example", title, verify: title, modifies: [title] });
      expect(parsed).toMatchObject({ problems: [], spec: { title, modifies: [title], verify: [{ run: title }] } });
    }
  });
});

test("the JSON Schema of the front matter names every field", async () => {
  const schema = specFrontMatterSchema();
  expect(schema).toMatchObject({ type: "object", properties: { task_id: { maxLength: 64 }, tier: { enum: ["cheap", "standard", "strong"] } } });
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot("../../../test/golden/specs/front-matter.schema.json");
});
