import { describe, expect, it } from "vitest";
import { errorLines, errorObject } from "./error-lines.ts";
import { plainPaint } from "./paint.ts";

describe("errorLines", () => {
  it("prints every problem of a configuration once, below the first line of the message", () => {
    const failure = {
      code: "CONFIG_INVALID",
      message: "the configuration has 2 problems\ndispatch.yaml x: y",
      hint: "mend them",
      facts: {
        problems: [
          { file: "dispatch.yaml", path: "projects.shop.landing", message: "is unknown", hint: "continuous or on-collect" },
          { file: "nodes.json", path: "", message: "is no JSON", hint: "" },
        ],
      },
    };
    expect(errorLines(failure, plainPaint)).toEqual([
      "error: the configuration has 2 problems",
      "  dispatch.yaml projects.shop.landing: is unknown; try: continuous or on-collect",
      "  nodes.json: is no JSON",
      "  try: mend them",
    ]);
  });

  it("prints problems of specs with their place", () => {
    const problems = [{ file: "specs/S01.md", line: 3, column: 5, id: "FM001", severity: "error", message: "must be 1..4,\ngot 9" }];
    expect(errorLines({ code: "SPEC_INVALID", message: "no spec is fit", hint: undefined, facts: { problems } }, plainPaint)).toEqual([
      "error: no spec is fit",
      "  specs/S01.md:3:5 FM001 error must be 1..4, got 9",
    ]);
  });

  it("shows the end of a log", () => {
    expect(errorLines({ code: "DAEMON_UNREACHABLE", message: "it ended", hint: "look", facts: { log: ["one", "\x1b[31mtwo"] } }, plainPaint)).toEqual(
      ["error: it ended", "  the end of its log:", "    one", "    two", "  try: look"],
    );
  });

  it("is an object for programs", () => {
    expect(errorObject({ code: "NOT_FOUND", message: "no task", hint: undefined, facts: { a: 1 } })).toEqual({
      error: { code: "NOT_FOUND", message: "no task", hint: null, facts: { a: 1 } },
    });
  });
});
