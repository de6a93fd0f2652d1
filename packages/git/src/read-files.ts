import { invariant, type Oid } from "@dispatch/core";
import { asOid, type Git } from "./open-git.ts";

/**
 * Texts of regular files in a revision, by path, with two git processes however many there are.
 * What is not there, links and folders are left out, so that a link is never followed.
 */
export async function readFiles(git: Git, revision: Oid, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const wanted = new Set(paths);
  if (wanted.size === 0) return new Map();
  const doing = `read ${wanted.size} files of ${revision}`;
  const { stdout } = await git.run({ args: ["ls-tree", "-r", "-z", "--full-tree", asOid(revision)], doing });
  const blobs = new Map<string, Oid>();
  for (const entry of stdout.toString("utf8").split("\0")) {
    const [, oid, path] = /^100[0-7]{3} blob ([0-9a-f]{40})\t([\s\S]*)$/.exec(entry) ?? [];
    if (oid !== undefined && path !== undefined && wanted.has(path)) blobs.set(path, oid);
  }
  if (blobs.size === 0) return new Map();
  const oids = [...new Set(blobs.values())];
  const read = await git.run({ args: ["cat-file", "--batch"], doing, input: `${oids.join("\n")}\n` });
  const texts = splitBatch(read.stdout, oids);
  return new Map([...blobs].map(([path, oid]) => [path, texts.get(oid) ?? ""]));
}

/** Answers of `cat-file --batch` come in the order of the questions: a line `OID blob SIZE`, the bytes, a line break. */
function splitBatch(output: Buffer, oids: readonly Oid[]): Map<Oid, string> {
  const texts = new Map<Oid, string>();
  let at = 0;
  for (const oid of oids) {
    const end = output.indexOf(10, at);
    const [, named, bytes] = /^([0-9a-f]{40}) blob (\d+)$/.exec(output.subarray(at, end).toString("latin1")) ?? [];
    invariant(named === oid && bytes !== undefined, `cat-file answered for ${named} where ${oid} was asked`);
    const start = end + 1;
    at = start + Number(bytes);
    texts.set(oid, output.subarray(start, at).toString("utf8"));
    at += 1;
  }
  return texts;
}
