import { describe, expect, it } from "vitest";
import { anOid } from "../../../test/kit/build-facts.ts";
import { type EntryChange, parseCitation } from "./contract-entries.ts";
import { composeNotice, contractFindings, contractNote, quoted } from "./contract-words.ts";

const range = { from: anOid(1), to: anOid(2) };
const change = (n: number, text: string): EntryChange => ({
  file: "API.md",
  anchor: `GET /a${n}`,
  change: "changed",
  before: text,
  after: `${text} now`,
});
const many = Array.from({ length: 60 }, (_, n) => change(n, "word ".repeat(2000)));

describe("a notice", () => {
  it("is bounded however much changed, shows what the spec cites first, and names what it cuts", () => {
    const notice = composeNotice(many, [parseCitation("API.md#GET /a41")], range);
    expect(notice.length).toBeLessThan(20_000);
    expect(notice.indexOf("## API.md#GET /a41")).toBeLessThan(notice.indexOf("## API.md#GET /a0"));
    expect(notice).toContain("API.md#GET /a5,");
    expect(notice).toContain(range.to);
  });

  it("is the same for the same change", () => {
    expect(composeNotice(many, [], range)).toBe(composeNotice(many, [], range));
  });

  it("shows one side of what is new or gone", () => {
    const notice = composeNotice(
      [
        { ...change(1, "x"), change: "added", before: null },
        { ...change(2, "y"), change: "removed", after: null },
      ],
      [],
      range,
    );
    expect(notice.match(/It was:/g)).toHaveLength(1);
    expect(notice.match(/It is now:/g)).toHaveLength(1);
  });
});

describe("text that is quoted", () => {
  it("cannot close its fence, whatever it holds", () => {
    const lines = quoted("```json\n{}\n```\n````\nmore", 1000).split("\n");
    expect(lines.at(-1)).toBe("`````");
    expect(lines.slice(1, -1).some((line) => line.startsWith("`````"))).toBe(false);
  });

  it("says where it was cut", () => {
    expect(quoted("x".repeat(50), 10)).toContain("cut after 10 of 50");
  });
});

describe("findings at landing", () => {
  const landing = { base: anOid(1), onto: anOid(2), tip: anOid(3) };

  it("block for each cited change and are bounded; the remark is bounded too", () => {
    const findings = contractFindings(many, [parseCitation("API.md#GET /a1"), parseCitation("API.md#GET /a2")], landing);
    expect(findings.map(({ gate, severity, path }) => [gate, severity, path])).toEqual([
      ["landing", "block", "API.md"],
      ["landing", "block", "API.md"],
    ]);
    for (const finding of findings) expect(finding.found.length).toBeLessThan(4000);
    expect(contractNote(many, anOid(1))?.found.length).toBeLessThan(1500);
  });

  it("are none where nothing changed", () => {
    expect(contractFindings([], [parseCitation("API.md")], landing)).toEqual([]);
    expect(contractNote([], anOid(1))).toBeUndefined();
  });
});
