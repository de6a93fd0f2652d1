import { describe, expect, it } from "vitest";
import { fitPainted } from "./fit-painted.ts";
import { colourPaint } from "./paint.ts";
import { fitText, oneLine, padText, textWidth, wrapText } from "./text-width.ts";

describe("textWidth", () => {
  it.each([
    ["", 0],
    ["plain", 5],
    ["日本語", 6],
    ["写一个 file", 11],
    ["한글", 4],
    ["ｆｕｌｌ", 8],
    ["e\u0301", 1],
    ["é", 1],
    ["👩‍👩‍👧", 2],
    ["✅", 2],
    ["❤️", 2],
    ["→ ━ …", 5],
    ["zero\u200bwidth", 9],
    [colourPaint.bad("红"), 2],
  ])("counts %j as %i columns", (text, width) => {
    expect(textWidth(text)).toBe(width);
  });
});

describe("fitText", () => {
  it.each([
    ["short", 10, "short"],
    ["exactly", 7, "exactly"],
    ["too long", 5, "too …"],
    ["日本語", 6, "日本語"],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日…"],
    ["日本語", 1, "…"],
    ["anything", 0, ""],
  ])("puts %j into %i columns", (text, width, fitted) => {
    expect(fitText(text, width)).toBe(fitted);
  });
});

describe("fitPainted", () => {
  it("leaves what fits as it is", () => {
    expect(fitPainted(colourPaint.good("ok"), 2)).toBe(colourPaint.good("ok"));
  });
  it("closes a colour that was cut open", () => {
    expect(fitPainted(`${colourPaint.good("merged")} and more`, 4)).toBe("\x1b[32mmer…\x1b[0m");
  });
  it("never splits a wide character", () => {
    expect(fitPainted(`a${colourPaint.bad("红红红")}`, 4)).toBe("a\x1b[31m红…\x1b[0m");
  });
});

describe("padText", () => {
  it.each([
    ["ab", 4, "start", "ab  "],
    ["ab", 4, "end", "  ab"],
    ["日", 4, "start", "日  "],
    ["abcdef", 4, "start", "abcdef"],
  ] as const)("pads %j to %i columns at the %s", (text, width, align, padded) => {
    expect(padText(text, width, align)).toBe(padded);
  });
});

describe("oneLine", () => {
  it.each([
    ["two\nlines", "two lines"],
    ["\x1b[2Jcleared\x07", "cleared"],
    ["re\u202everse", "re verse"],
    ["  kept  blanks ", "kept  blanks"],
  ])("makes %j harmless", (text, line) => {
    expect(oneLine(text)).toBe(line);
  });
});

describe("wrapText", () => {
  it.each([
    ["the quick brown fox", 10, ["the quick", "brown fox"]],
    ["unbreakable", 4, ["unbr", "eaka", "ble"]],
    ["日本語テキスト", 6, ["日本語", "テキス", "ト"]],
    ["", 5, [""]],
  ])("wraps %j at %i columns", (text, width, lines) => {
    expect(wrapText(text, width)).toEqual(lines);
  });
});
