import { afterAll, describe, expect, test } from "vitest";
import { openDiffBench } from "../../../test/golden/changes/real-diff.ts";
import { parseDiff } from "./parse-diff.ts";

const bench = openDiffBench();
afterAll(() => bench.remove());

const zero = "0".repeat(40);

describe("a real diff", () => {
  test("each kind of change is told apart, with modes and ids", () => {
    const changes = parseDiff(
      bench.diff(
        { "changed.ts": "a\n", gone: "b\n", "mode.sh": "c\n", link: "d\n", both: "e\n" },
        {
          "changed.ts": "a2\n",
          "mode.sh": { mode: "100755", text: "c\n" },
          link: { mode: "120000", text: "target" },
          both: { mode: "100755", text: "e2\n" },
          "new.ts": "f\n",
          sub: { mode: "160000", text: "1".repeat(40) },
        },
      ),
    );
    const shape = changes.map(({ path, kind, oldMode, newMode }) => [path, kind, oldMode, newMode]);
    expect(shape).toEqual([
      ["both", "modified", "100644", "100755"],
      ["changed.ts", "modified", "100644", "100644"],
      ["gone", "deleted", "100644", "000000"],
      ["link", "type-changed", "100644", "120000"],
      ["mode.sh", "mode-changed", "100644", "100755"],
      ["new.ts", "added", "000000", "100644"],
      ["sub", "added", "000000", "160000"],
    ]);
    expect(changes.some((change) => change.binary)).toBe(false);
    expect(changes.find((change) => change.path === "sub")?.newOid).toBe("1".repeat(40));
    expect(changes.find((change) => change.path === "new.ts")?.oldOid).toBe(zero);
    const link = changes.find((change) => change.path === "link");
    expect(link?.removedLines).toEqual([{ line: 1, text: "d" }]);
    expect(link?.addedLines).toEqual([{ line: 1, text: "target" }]);
  });

  test("a file turned into a link with the same bytes shows its target", () => {
    const [change] = parseDiff(bench.diff({ a: "/etc/passwd" }, { a: { mode: "120000", text: "/etc/passwd" } }));
    expect(change).toMatchObject({ kind: "type-changed", addedLines: [{ line: 1, text: "/etc/passwd" }] });
  });

  test("empty files, missing newlines, CRLF and binary content", () => {
    const changes = parseDiff(bench.diff({ empty: "", crlf: "a\r\nb\r\n", end: "x" }, { filled: "", crlf: "a\r\nc\r\n", end: "x\ny", bin: "a\0b" }));
    const lines = changes.map(({ path, binary, addedLines }) => [path, binary, addedLines]);
    expect(lines).toEqual([
      ["bin", true, []],
      ["crlf", false, [{ line: 2, text: "c" }]],
      ["empty", false, []],
      [
        "end",
        false,
        [
          { line: 1, text: "x" },
          { line: 2, text: "y" },
        ],
      ],
      ["filled", false, []],
    ]);
  });

  test("content that looks like a diff stays content, and its numbers are right", () => {
    const text = "-- a/x\n++ b/x\n@@ -1,9 +1,9 @@\ndiff --git a/y b/y\n\\ No newline at end of file\nBinary files a and b differ\n";
    const [change, ...others] = parseDiff(bench.diff({ x: "one\n" }, { x: `one\n${text}` }));
    expect(others).toEqual([]);
    expect(change?.addedLines).toEqual(
      text
        .trimEnd()
        .split("\n")
        .map((line, i) => ({ line: i + 2, text: line })),
    );
    const [back] = parseDiff(bench.diff({ x: `one\n${text}` }, { x: "one\n" }));
    expect(back?.addedLines).toEqual([]);
    expect(back?.removedLines).toHaveLength(6);
  });

  test("headings and places of hunks are kept, also behind CR and line separators", () => {
    const body = "    x = 1\n".repeat(3);
    const [change] = parseDiff(bench.diff({ "a.py": `def f():\u2028\r z\n${body}    y\n` }, { "a.py": `def f():\u2028\r z\n${body}    pass\n` }));
    expect(change?.addedLines).toEqual([{ line: 5, text: "    pass" }]);
    expect(change?.hunks).toEqual([{ oldStart: 5, oldLines: 1, newStart: 5, newLines: 1, heading: "def f():\u2028\r z" }]);
  });
});

describe("a path comes out the same from both parts", () => {
  const paths = ["a b.txt", "é/名.ts", 'q"uote', "tab\there", "back\\slash", "new\nline", " b/x", "a b/a b", "x b/x", "bell\u0007"];
  test.each([["true"], ["false"]])("with core.quotePath=%s", (quoted) => {
    const after = Object.fromEntries(paths.map((path) => [path, `${JSON.stringify(path)}\n`]));
    const changes = parseDiff(bench.diff({}, after, ["-c", `core.quotePath=${quoted}`]));
    expect(changes.map(({ path, addedLines }) => [path, addedLines[0]?.text]).sort()).toEqual(
      paths.map((path) => [path, JSON.stringify(path)]).sort(),
    );
  });
});

describe("what only one part names is kept", () => {
  const patch = "diff --git a/x b/x\nnew file mode 120000\nindex 0000000..1111111\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+target\n";

  test("a section without a record becomes a change", () => {
    expect(parseDiff({ raw: "", patch, sizes: new Map() })).toMatchObject([
      { path: "x", kind: "added", newMode: "120000", addedLines: [{ line: 1, text: "target" }] },
    ]);
  });

  test("a record without a section cannot be read", () => {
    expect(parseDiff({ raw: `:100644 100644 ${"a".repeat(40)} ${"b".repeat(40)} M\0x.ts\0`, patch: "", sizes: new Map() })).toMatchObject([
      { path: "x.ts", kind: "modified", binary: true },
    ]);
  });

  test("a patch that ends too early cannot be read", () => {
    const cut = "diff --git a/x.ts b/x.ts\n--- a/x.ts\n+++ b/x.ts\n@@ -1 +1,3 @@\n-a\n+b\n";
    expect(parseDiff({ raw: "", patch: cut, sizes: new Map() })).toMatchObject([
      { path: "x.ts", binary: true, addedLines: [{ line: 1, text: "b" }] },
    ]);
  });
});
