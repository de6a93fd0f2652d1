import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tableLines } from "./table.ts";
import { fitText, textWidth } from "./text-width.ts";

const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "日", "é", "👍", "\t", "\x1b[31m"), maxLength: 30 });

describe("tables", () => {
  it("never are wider than they may be, and have a line per row", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text, text), { maxLength: 6 }), fc.integer({ min: 1, max: 60 }), (rows, width) => {
        const columns = [{ title: "FIRST" }, { title: "N", align: "end" as const }, { title: "LAST", grow: true }];
        const lines = tableLines(
          columns,
          rows.map((row) => row.map((cell) => ({ text: cell }))),
          width,
        );
        expect(lines).toHaveLength(rows.length + 1);
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });

  it("fitted text is never wider than asked, and is the text itself when that fits", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 40 }), (value, width) => {
        const fitted = fitText(value, width);
        expect(textWidth(fitted)).toBeLessThanOrEqual(width);
        if (textWidth(value) <= width && width > 0) expect(fitted).toBe(value);
      }),
    );
  });
});
