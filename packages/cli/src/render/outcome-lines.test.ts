import { describe, expect, it } from "vitest";
import { aRow, aView, noon } from "../testing/sample-views.ts";
import { collectLines } from "./collect-lines.ts";
import { feedLines } from "./feed-lines.ts";
import { lintLines, lintSummary } from "./lint-lines.ts";
import { redraw } from "./redraw.ts";

const problem = { file: "specs/pending/S03-c.md", line: 4, column: 1, id: "DEP001", severity: "error", message: "depends on S09,\nwhich is unknown" };

describe("feedLines", () => {
  it("tells what was taken in and what was left out", () => {
    const feed = {
      planned: ["shop/S01-a"],
      revised: ["shop/S02-b"],
      unchanged: [],
      moved: ["specs/shop/S01-a.md"],
      refused: ["specs/pending/S03-c.md"],
      problems: [problem],
    };
    expect(feedLines("shop", feed, aView(80))).toEqual([
      "specs/pending/S03-c.md:4:1 DEP001 error depends on S09, which is unknown",
      "planned shop/S01-a",
      "revised shop/S02-b",
      "refused specs/pending/S03-c.md",
      "moved 1 file from specs/pending to specs/shop",
      "shop: 1 planned, 1 revised, 0 unchanged, 1 refused",
    ]);
  });
});

describe("lintLines", () => {
  it("is one line per problem, and a sum", () => {
    const warning = { ...problem, severity: "warning", line: 9 };
    expect(lintLines([problem, warning], aView(80))).toHaveLength(2);
    expect(lintSummary([problem, warning])).toBe("1 error, 1 warning in 1 file");
    expect(lintSummary([])).toBe("no problems");
  });
});

describe("collectLines", () => {
  const landed = [aRow("shop/S01-a", { state: "merged" })];
  it("names what landed and what was published", () => {
    const last = { outcome: "published" as const, at: noon, requestedAt: noon, commit: "1a2b3c4d5e6f" };
    expect(collectLines("shop", landed, last, aView(80))).toEqual(["landed S01-a  Title of shop/S01-a", "shop: 1 task landed, published 1a2b3c4d5"]);
  });
  it("does not claim a publication that was stopped", () => {
    const last = { outcome: "stopped" as const, at: noon, requestedAt: noon, code: "ORIGIN_REFUSED", because: "x", hint: "y" };
    expect(collectLines("shop", landed, last, aView(80))).toEqual(["landed S01-a  Title of shop/S01-a"]);
  });
});

describe("redraw", () => {
  it("goes up over the frame before, erases what is left of every line and below, and never clears the screen", () => {
    expect(redraw(3, ["a", "b"])).toBe("\x1b[?2026h\r\x1b[3Aa\x1b[K\nb\x1b[K\n\x1b[J\x1b[?2026l");
    expect(redraw(0, ["a"])).toBe("\x1b[?2026h\ra\x1b[K\n\x1b[J\x1b[?2026l");
  });
});
