import { describe, expect, it } from "vitest";
import { ageText, barText, countText, durationText, plural, sumTokens, tokensText } from "./figures.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

describe("figures", () => {
  it.each([
    [0, "0ms"],
    [850, "850ms"],
    [42 * second, "42s"],
    [3 * minute + 7 * second, "3m07s"],
    [2 * hour + 5 * minute + 59 * second, "2h05m"],
    [76 * hour, "3d04h"],
  ])("says %i ms as %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it.each([
    [1000, 6900, "5s"],
    [1000, 1200, "0s"],
    [5000, 1000, "0s"],
  ])("an age from %i to %i is %s", (since, now, text) => {
    expect(ageText(since, now)).toBe(text);
  });

  it.each([
    [0, "0"],
    [999, "999"],
    [12_345, "12.3k"],
    [999_949, "999.9k"],
    [999_950, "1.0M"],
    [4_500_000, "4.5M"],
  ])("counts %i as %s", (count, text) => {
    expect(countText(count)).toBe(text);
  });

  it("sums the tokens that are known", () => {
    expect(sumTokens([null, { inputTokens: 1000, outputTokens: 2 }, { inputTokens: 500, outputTokens: 3 }])).toEqual({
      inputTokens: 1500,
      outputTokens: 5,
    });
    expect(sumTokens([null, null])).toBeNull();
    expect(tokensText({ inputTokens: 1500, outputTokens: 5 })).toBe("1.5k in, 5 out");
    expect(tokensText(null)).toBe("");
  });

  it.each([
    [0, 0, "", "────"],
    [0, 9, "", "────"],
    [8, 9, "━━━", "─"],
    [9, 9, "━━━━", ""],
  ])("a bar of %i of %i is full only at the end", (done, all, filled, rest) => {
    expect(barText(done, all, 4)).toEqual({ done: filled, rest });
  });

  it("counts things", () => {
    expect([plural(0, "task"), plural(1, "task"), plural(2, "task")]).toEqual(["0 tasks", "1 task", "2 tasks"]);
  });
});
