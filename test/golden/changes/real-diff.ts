import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DiffText, Oid } from "@dispatch/core";
import type { FileText, Tree } from "./case.ts";

/** A bare repository in a temporary folder that makes real diffs of small trees. */
export interface DiffBench {
  diff(before: Tree, after: Tree, options?: readonly string[]): DiffText;
  /** The diffs of many pairs at once, with a handful of processes. */
  diffAll(pairs: readonly (readonly [before: Tree, after: Tree])[]): DiffText[];
  /** Texts of blobs that a diff named. */
  read(blobs: readonly Oid[]): ReadonlyMap<Oid, string>;
  remove(): void;
}

export function openDiffBench(): DiffBench {
  const folder = mkdtempSync(join(tmpdir(), "gates-diff-"));
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, GIT_CONFIG_NOSYSTEM: "1", LC_ALL: "C" };
  const git = (args: readonly string[], input?: Buffer): string =>
    execFileSync("git", [...args], { cwd: folder, env, encoding: "utf8", maxBuffer: 1 << 28, ...(input === undefined ? {} : { input }) });
  git(["init", "-q", "--bare", "."]);
  return {
    diff(before, after, options = []) {
      git(["fast-import", "--quiet", "--force"], Buffer.concat([commitOf("before", before), commitOf("after", after)]));
      const tree = (flags: readonly string[]): string => git([...options, "diff-tree", ...flags, "refs/heads/before", "refs/heads/after"]);
      const raw = tree(rawFlags);
      return { raw, patch: tree(patchFlags), sizes: sizesOf([before, after]) };
    },
    diffAll(pairs) {
      const commits = pairs.flatMap(([before, after], i) => [commitOf(`before${i}`, before), commitOf(`after${i}`, after)]);
      git(["fast-import", "--quiet", "--force"], Buffer.concat(commits));
      const listed = git(["for-each-ref", "--format=%(refname:lstrip=2) %(tree)"]).split("\n");
      const trees = new Map(listed.map((line) => line.split(" ") as [string, string]));
      const names = pairs.map((_, i) => `${trees.get(`before${i}`)} ${trees.get(`after${i}`)}`);
      const input = Buffer.from(`${names.join("\n")}\n`);
      const [raws, patches] = [rawFlags, patchFlags].map((flags) => sectionsOf(git(["diff-tree", "--stdin", ...flags], input), names));
      const sizes = sizesOf(pairs.flat());
      return names.map((name) => ({ raw: raws?.get(name) ?? "", patch: patches?.get(name) ?? "", sizes }));
    },
    read(blobs) {
      if (blobs.length === 0) return new Map();
      const answer = execFileSync("git", ["cat-file", "--batch"], { cwd: folder, env, maxBuffer: 1 << 28, input: `${blobs.join("\n")}\n` });
      return textsIn(answer, blobs);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const rawFlags = ["-r", "-z", "--no-renames", "--raw", "--no-abbrev"];
const patchFlags = ["-p", "-U0", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"];

/** What `diff-tree --stdin` printed for each pair: a line that names the pair, then its diff. Pairs that are equal have none. */
function sectionsOf(output: string, names: readonly string[]): Map<string, string> {
  const wanted = new Set(names);
  const found = [...output.matchAll(/(?<=^|[\n\0])([0-9a-f]{40} [0-9a-f]{40})[\n\0]/g)].filter(([, name = ""]) => wanted.has(name));
  return new Map(found.map((match, i) => [match[1] ?? "", output.slice(match.index + match[0].length, found[i + 1]?.index ?? output.length)]));
}

/** Bytes by the name that git gives to a blob, reckoned here: a process for each diff is what takes the time. */
function sizesOf(trees: readonly Tree[]): Map<Oid, number> {
  const contents = trees.flatMap((tree) => Object.values(tree).map((file) => Buffer.from(typeof file === "string" ? file : file.text)));
  return new Map(contents.map((content) => [createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex"), content.length]));
}

/** Answers of `cat-file --batch`, in the order of the questions: `OID blob SIZE`, the bytes, a line break. */
function textsIn(answer: Buffer, blobs: readonly Oid[]): Map<Oid, string> {
  let at = 0;
  return new Map(
    blobs.map((oid) => {
      const start = answer.indexOf(10, at) + 1;
      const bytes = Number(answer.subarray(at, start).toString("latin1").split(" ")[2]);
      at = start + bytes + 1;
      return [oid, answer.subarray(start, start + bytes).toString("utf8")];
    }),
  );
}

function commitOf(branch: string, tree: Tree): Buffer {
  const head = `reset refs/heads/${branch}\ncommit refs/heads/${branch}\ncommitter a <a@example.org> 0 +0000\ndata 0\ndeleteall\n`;
  return Buffer.concat([Buffer.from(head), ...Object.entries(tree).map(([path, file]) => fileOf(path, file)), Buffer.from("\n")]);
}

function fileOf(path: string, file: FileText): Buffer {
  const { mode, text } = typeof file === "string" ? { mode: "100644", text: file } : file;
  const quoted = `"${path.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
  if (mode === "160000") return Buffer.from(`M 160000 ${text} ${quoted}\n`);
  const content = Buffer.from(text);
  return Buffer.concat([Buffer.from(`M ${mode} inline ${quoted}\ndata ${content.length}\n`), content, Buffer.from("\n")]);
}
