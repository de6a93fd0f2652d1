import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blobsInDiff, type DiffText, type Oid, sizesInAnswer } from "@dispatch/core";
import type { FileText, Tree } from "./case.ts";

/** A bare repository in a temporary folder that makes real diffs of small trees. */
export interface DiffBench {
  diff(before: Tree, after: Tree, options?: readonly string[]): DiffText;
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
      const raw = tree(["-r", "-z", "--no-renames", "--raw", "--no-abbrev"]);
      return {
        raw,
        sizes: sizesInAnswer(git(["cat-file", "--batch-check"], Buffer.from(`${blobsInDiff(raw).join("\n")}\n`))),
        patch: tree(["-p", "-U0", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"]),
      };
    },
    read: (blobs) => new Map(blobs.map((oid) => [oid, git(["cat-file", "blob", oid])])),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
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
