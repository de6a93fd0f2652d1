import { defaultGatePolicy } from "@dispatch/core";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { aSpec } from "../../../test/golden/changes/index.ts";
import { openDiffBench } from "../../../test/golden/changes/real-diff.ts";
import type { Change } from "./change.ts";
import { judgeChange } from "./judge-change.ts";
import { parseDiff } from "./parse-diff.ts";
import { decodeUtf8, unquotePath } from "./unquote-path.ts";

const bench = openDiffBench();
afterAll(() => bench.remove());

const awkward = fc.constantFrom(
  "",
  "+++ b/x",
  "--- a/x",
  "@@ -1 +1 @@",
  "diff --git a/x b/x",
  "\\ No newline at end of file",
  "+",
  "-",
  " ",
  "def f():",
  "    pass",
  "x".repeat(90),
  "名",
  "'",
  '"""',
  "`",
  "/*",
  "// TODO",
);
const text = fc
  .tuple(
    fc.array(
      fc.oneof(
        awkward,
        fc.string({ maxLength: 6 }).map((line) => line.replace(/[\r\n\0]/g, "_")),
      ),
      { maxLength: 12 },
    ),
    fc.boolean(),
  )
  .map(([lines, ended]) => (lines.length === 0 ? "" : lines.join("\n") + (ended ? "\n" : "")));
const name = fc.constantFrom("a.ts", "b.py", "dir/c.go", "sp ace.md", "é.txt", 'q"\t.rs', "b/b");
const tree = fc.dictionary(name, text, { maxKeys: 5 });

/** The new lines of a file from its old lines and a change: the diff must say all there is. */
function applied(before: string, change: Change): string[] {
  const removed = new Set(change.removedLines.map((each) => each.line));
  const rest = linesOf(before).filter((_, i) => !removed.has(i + 1));
  const added = new Map(change.addedLines.map((each) => [each.line, each.text]));
  const result: string[] = [];
  while (rest.length > 0 || added.size > 0) {
    const line = added.get(result.length + 1);
    if (line === undefined) {
      const next = rest.shift();
      if (next === undefined) break;
      result.push(next);
    } else {
      added.delete(result.length + 1);
      result.push(line);
    }
  }
  return result;
}

function linesOf(content: string): string[] {
  if (content === "") return [];
  return (content.endsWith("\n") ? content.slice(0, -1) : content).split("\n");
}

test("the parsed lines of a real diff turn the old file into the new one", () => {
  fc.assert(
    fc.property(tree, tree, fc.boolean(), (before, after, quote) => {
      const changes = parseDiff(bench.diff(before, after, ["-c", `core.quotePath=${quote}`]));
      const differing = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((path) => before[path] !== after[path]);
      expect(changes.map((change) => change.path).sort()).toEqual(differing.sort());
      for (const change of changes) {
        expect(change.kind).toBe(before[change.path] === undefined ? "added" : after[change.path] === undefined ? "deleted" : "modified");
        expect(change.binary).toBe(false);
        expect(applied(before[change.path] ?? "", change)).toEqual(linesOf(after[change.path] ?? ""));
      }
    }),
    { numRuns: 80 },
  );
});

test("any text can be parsed and judged", () => {
  const piece = fc.oneof(
    awkward,
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom(
      ":100644 100644 aaa bbb M\0",
      "diff --git ",
      'diff --git "a/\\303" "b/',
      "@@ -1,3 +1,999999999 @@ x",
      "@@ -a",
      "\0",
      "old mode 100644",
      "Binary files ",
      "GIT binary patch",
      "rename from x",
    ),
  );
  const noise = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join("\n"));
  fc.assert(
    fc.property(noise, noise, (raw, patch) => {
      const changes = parseDiff({ raw, patch, sizes: new Map() });
      for (const finding of judgeChange({ spec: aSpec({ modifies: ["src"] }), changes, texts: new Map(), verify: null, policy: defaultGatePolicy })) {
        expect(["G02", "G03", "G04", "G05", "G06", "G07", "G08", "G09"]).toContain(finding.gate);
        expect(`${finding.path ?? ""}${finding.found}`).not.toMatch(/[\0-\x09\x0b-\x1f\x7f]/);
      }
    }),
    { numRuns: 500 },
  );
});

test("bytes decode as the decoder of the shell does", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 12 }),
      fc.constantFrom<number[]>([], [0xe2, 0x82, 0xac], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0xc3]),
      (bytes, more) => {
        const all = [...bytes, ...more];
        expect(decodeUtf8(all)).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(all)));
      },
    ),
    { numRuns: 2000 },
  );
});

test("a quoted path is read back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const quoted = `"${[...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}" rest`;
      expect(unquotePath(quoted, 0)).toEqual({ path: decodeUtf8([...bytes]), end: quoted.length - 5 });
    }),
  );
});
