import { invariant, type Oid, sizesInAnswer } from "@dispatch/core";
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
  const texts = await readBlobs(git, [...blobs.values()]);
  return new Map([...blobs].map(([path, oid]) => [path, texts.get(oid) ?? ""]));
}

/** Texts of blobs by their ids. What is not there, or is no blob, is left out. */
export async function readBlobs(git: Git, blobs: readonly Oid[]): Promise<ReadonlyMap<Oid, string>> {
  const oids = [...new Set(blobs)].map(asOid);
  if (oids.length === 0) return new Map();
  const { stdout } = await git.run({ args: ["cat-file", "--batch"], doing: `read ${oids.length} blobs`, input: `${oids.join("\n")}\n` });
  return splitBatch(stdout, oids);
}

/** Bytes of blobs by their ids. What is not there, or is no blob, is left out. */
export async function sizesOf(git: Git, blobs: readonly Oid[]): Promise<ReadonlyMap<Oid, number>> {
  if (blobs.length === 0) return new Map();
  const { stdout } = await git.run({
    args: ["cat-file", "--batch-check"],
    doing: `measure ${blobs.length} blobs`,
    input: `${blobs.map(asOid).join("\n")}\n`,
  });
  return sizesInAnswer(stdout.toString("latin1"));
}

/** Answers of `cat-file --batch` come in the order of the questions: a line `OID TYPE SIZE`, the bytes, a line break; or `OID missing`. */
function splitBatch(output: Buffer, oids: readonly Oid[]): Map<Oid, string> {
  const texts = new Map<Oid, string>();
  let at = 0;
  for (const oid of oids) {
    const end = output.indexOf(10, at);
    const [, named, type, bytes] = /^([0-9a-f]{40}) (\w+)(?: (\d+))?$/.exec(output.subarray(at, end).toString("latin1")) ?? [];
    invariant(named === oid && type !== undefined, `cat-file answered for ${named} where ${oid} was asked`);
    at = end + 1;
    if (type === "missing") continue;
    const last = at + Number(bytes);
    if (type === "blob") texts.set(oid, output.subarray(at, last).toString("utf8"));
    at = last + 1;
  }
  return texts;
}
