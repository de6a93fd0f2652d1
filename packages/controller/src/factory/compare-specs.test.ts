import { exampleSpec, writeSpecTemplate } from "@dispatch/spec";
import { describe, expect, it } from "vitest";
import { compareSpecs } from "./compare-specs.ts";

const file = "specs/example/S01-schedule-schema.md";
const text = writeSpecTemplate(exampleSpec);
const changed = (edit: (before: string) => string) => compareSpecs(text, edit(text), file);

describe("comparing two texts of a spec", () => {
  it.each<[string, (before: string) => string, string[]]>([
    ["nothing", (before) => before, []],
    ["a path to change", (before) => before.replace("modifies: [", "modifies: [backend/x.py, "), ["modifies"]],
    ["the priority", (before) => before.replace("priority: 2", "priority: P0"), ["priority"]],
    ["a dependency, written for the first time", (before) => before.replace("depends_on: []", "depends_on: [S00-base]"), ["depends_on"]],
    ["a criterion's text", (before) => before.replace("51 posts", "52 posts"), ["acceptance"]],
    ["a criterion's command", (before) => before.replace("-k limit", "-k bound"), ["acceptance"]],
    ["a criterion less", (before) => before.replace(/- \[ \] a past.*\n/, ""), ["acceptance"]],
    ["the goal", (before) => before.replace("Add Batch", "Write Batch"), ["goal"]],
    [
      "constraints and the do-not list",
      (before) => before.replace("at most 50", "at most 60").replace("no router", "no routers"),
      ["constraints", "do not"],
    ],
    ["a section of its own", (before) => `${before}\n## Rollout\n\nSlowly.\n`, ["Rollout"]],
    ["a note", (before) => `${before}\n## Notes\n\nNone.\n`, ["Notes"]],
    ["an extra field", (before) => before.replace("x-template: 1", "x-template: 2"), ["x-template"]],
    ["the title, not the commit subject that follows from it", (before) => before.replace("title: Schemas", "title: The schemas"), ["title"]],
    ["the estimate, not the time limit that follows from it", (before) => before.replace("estimate_min: 10", "estimate_min: 12"), ["estimate_min"]],
    ["a time limit that is typed", (before) => before.replace("estimate_min: 10", "estimate_min: 10\ntimeout_min: 44"), ["timeout_min"]],
    ["front matter that cannot be read", (before) => before.replace("---", ""), ["front matter"]],
  ])("names %s", (_, edit, expected) => {
    expect(changed(edit)).toEqual(expected);
  });

  it.each<[string, (before: string) => string]>([
    ["line ends", (before) => before.replaceAll("\n", "\r\n")],
    ["a byte order mark", (before) => `\uFEFF${before}`],
    ["blank lines that move everything", (before) => before.replace("## Goal", "\n\n## Goal")],
    ["the order of fields", (before) => before.replace("type: feature\npriority: 2", "priority: 2\ntype: feature")],
    ["another way to write a list", (before) => before.replace("modifies: [backend/schemas/post.py]", "modifies:\n  - backend/schemas/post.py")],
  ])("takes %s for layout", (_, edit) => {
    expect(changed(edit)).toEqual(["layout"]);
  });

  it("names the same whichever of the two comes first", () => {
    const other = text.replace("priority: 2", "priority: 1").replace("51 posts", "9 posts");
    expect(compareSpecs(other, text, file)).toEqual(compareSpecs(text, other, file));
  });
});
