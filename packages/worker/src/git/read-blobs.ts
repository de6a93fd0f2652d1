import { blobsInDiff, type Oid, sizesInAnswer } from "@dispatch/core";
import { runGit } from "./run-git.ts";

const textLimitBytes = 16 * 1024 * 1024;

/** Bytes of the blobs that a raw diff names. */
export async function sizesOf(repository: string, raw: string): Promise<ReadonlyMap<Oid, number>> {
  const oids = blobsInDiff(raw);
  if (oids.length === 0) return new Map();
  const said = await runGit(["cat-file", "--batch-check"], { gitDir: repository, input: `${oids.join("\n")}\n` });
  return sizesInAnswer(said.toString("latin1"));
}

/** Texts of blobs by their ids; what is not there, or is too large to be read by anybody, is left out. */
export async function readBlobs(repository: string, oids: readonly Oid[], sizes: ReadonlyMap<Oid, number>): Promise<ReadonlyMap<Oid, string>> {
  const wanted = oids.filter((oid) => (sizes.get(oid) ?? Number.POSITIVE_INFINITY) <= textLimitBytes);
  if (wanted.length === 0) return new Map();
  const said = await runGit(["cat-file", "--batch"], { gitDir: repository, input: `${wanted.join("\n")}\n` });
  const texts = new Map<Oid, string>();
  let at = 0;
  for (const oid of wanted) {
    const start = said.indexOf(10, at) + 1;
    at = start + (sizes.get(oid) ?? 0);
    texts.set(oid, said.subarray(start, at).toString("utf8"));
    at += 1;
  }
  return texts;
}
