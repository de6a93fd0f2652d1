import type { ChangeCase } from "./case.ts";

const one = (gate: "G03" | "G07", path: string, line?: number) => (line === undefined ? { gate, path } : { gate, path, line });

/** Scope, empty changes and conflict markers. */
export const structureCases: readonly ChangeCase[] = [
  {
    name: "inside modifies, creates and deletes",
    language: "any",
    spec: { modifies: ["src/**", "docs"], creates: ["test/new.test.ts"], deletes: ["old.ts"] },
    before: { "src/a.ts": "1\n", "src/gone.ts": "1\n", "docs/a/b.md": "1\n", "old.ts": "1\n" },
    after: { "src/a.ts": "2\n", "src/new.ts": "1\n", "docs/a/b.md": "2\n", "test/new.test.ts": "1\n" },
    expect: [],
  },
  {
    name: "outside, by change, creation, deletion and rename",
    language: "any",
    spec: { modifies: ["src/a.ts"], creates: ["src/c.ts"], deletes: ["src/d.ts"] },
    before: { "src/a.ts": "1\n", "lib/b.ts": "1\n", "src/c2.ts": "same\ntext\nhere\n", "src/d.ts": "1\n", "lib/e.ts": "1\n" },
    after: { "src/a.ts": "1\n", "lib/b.ts": "2\n", "src/c3.ts": "same\ntext\nhere\n", "src/d.ts": "2\n", "new.ts": "1\n" },
    expect: [one("G03", "lib/b.ts"), one("G03", "lib/e.ts"), one("G03", "new.ts"), one("G03", "src/c2.ts"), one("G03", "src/c3.ts"), one("G03", "src/d.ts")],
  },
  {
    name: "forbids wins",
    language: "any",
    spec: { modifies: ["src/**"], forbids: ["src/auth/**"] },
    before: { "src/auth/a.ts": "1\n", "src/b.ts": "1\n" },
    after: { "src/auth/a.ts": "2\n", "src/b.ts": "2\n" },
    expect: [one("G03", "src/auth/a.ts")],
  },
  {
    name: "a deletion is no creation",
    language: "any",
    spec: { modifies: [], creates: ["src/a.ts"] },
    before: { "src/a.ts": "1\n" },
    after: {},
    expect: [one("G03", "src/a.ts")],
  },
  {
    name: "modes, links and submodules out of scope",
    language: "any",
    spec: { modifies: ["src/**"] },
    before: { "run.sh": "1\n", "link.txt": "text\n" },
    after: {
      "run.sh": { mode: "100755", text: "1\n" },
      "link.txt": { mode: "120000", text: "src/a.ts" },
      "vendor/lib": { mode: "160000", text: "0123456789012345678901234567890123456789" },
    },
    expect: [one("G03", "link.txt"), one("G03", "run.sh"), one("G03", "vendor/lib")],
  },
  {
    name: "links that leave the repository, in scope or not",
    language: "any",
    before: { "src/file": "/etc/passwd" },
    after: {
      "a/b/absolute": { mode: "120000", text: "/etc/passwd" },
      "a/b/above": { mode: "120000", text: "../../../secret" },
      "a/b/detour": { mode: "120000", text: "x/../../../../secret" },
      "a/b/git": { mode: "120000", text: "../../.git/config" },
      "a/b/inside": { mode: "120000", text: "../../src/file" },
      "src/file": { mode: "120000", text: "/etc/passwd" },
    },
    expect: [one("G03", "a/b/above"), one("G03", "a/b/absolute"), one("G03", "a/b/detour"), one("G03", "a/b/git"), one("G03", "src/file")],
  },
  {
    name: "paths that git quotes",
    language: "any",
    spec: { modifies: ["src"] },
    before: {},
    after: { 'src/"q"\t.ts': "1\n", "src/é 名.ts": "// TODO x\n", 'out/"q"\t.md': "1\n", "out/a b": "1\n", "out/名\n.md": "1\n", " b/x": "1\n" },
    expect: [one("G03", "b/x"), one("G03", 'out/"q" .md'), one("G03", "out/a b"), one("G03", "out/名 .md"), { gate: "G02", path: "src/é 名.ts", line: 1 }],
  },
  { name: "nothing was done", language: "any", before: { "a.ts": "1\n" }, after: { "a.ts": "1\n" }, expect: [{ gate: "G04" }] },
  { name: "nothing was to be done", language: "any", spec: { allowEmpty: true }, before: { "a.ts": "1\n" }, after: { "a.ts": "1\n" }, expect: [] },
  {
    name: "an unfinished merge",
    language: "any",
    before: { "a.ts": "const a = 1;\nconst b = 2;\n" },
    after: {
      "a.ts": "<<<<<<< HEAD\nconst a = 1;\n=======\nconst a = 2;\n>>>>>>> theirs\nconst b = 2;\n<<<<<<< ours\n||||||| base\n=======\n>>>>>>> x\n",
      "b.ts": "const c = 1;\r\n>>>>>>> theirs\r\n",
      "c.md": "# Title\n\n<<<<<<<\nx\n=======\n",
    },
    expect: [one("G07", "a.ts", 1), one("G07", "a.ts", 7), one("G07", "b.ts", 2), one("G07", "c.md", 3)],
  },
  {
    name: "underlines, quotations, shifts and markers in text",
    language: "any",
    before: {},
    after: {
      "a.md": "Heading\n=======\n\n>>>>>>> a deep quotation\n",
      "b.rst": "=======\nHeading\n=======\n",
      "c.ts": "const a = b >>> 7;\nconst line = '<<<<<<< HEAD';\n  <<<<<<< indented\n// =======\n<<<<<<<< eight\n",
      "d.txt": "=======\n",
    },
    expect: [],
  },
  {
    name: "lines that look like the headers of a diff",
    language: "any",
    before: { "a.md": "one\ntwo\nthree\n" },
    after: { "a.md": "++ b/other.ts\n-- a/other.ts\n@@ -1 +1 @@\ndiff --git a/x.ts b/x.ts\nnew file mode 120000\n+// TODO here\n" },
    expect: [{ gate: "G02", path: "a.md", line: 6 }],
  },
];
