import type { Oid } from "@dispatch/core";
import { asOid, type Git } from "./open-git.ts";
import { findFiles } from "./tree-entries.ts";

/** Text of a regular file in a revision; undefined for anything else, so that a link is never followed. */
export async function readFile(git: Git, revision: Oid, path: string): Promise<string | undefined> {
  return (await readFiles(git, revision, [path])).get(path);
}

/** Texts of regular files in a revision, by path. What is not there, links and folders are left out, so that a link is never followed. */
export async function readFiles(git: Git, revision: Oid, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const blobs = await findFiles(git, asOid(revision), [...new Set(paths)]);
  const texts = await readBlobs(git, [...blobs.values()]);
  return new Map([...blobs].map(([path, oid]) => [path, texts.get(oid) ?? ""]));
}

/** Texts of blobs by their ids. What is not there, or is no blob, is left out. */
export async function readBlobs(git: Git, blobs: readonly Oid[]): Promise<ReadonlyMap<Oid, string>> {
  const oids = [...new Set(blobs)].map(asOid);
  const found = await Promise.all(oids.map((oid) => git.objects.read(oid)));
  return new Map(found.flatMap((object) => (object?.type === "blob" ? [[object.oid, object.content.toString("utf8")] as const] : [])));
}

/** Bytes of blobs by their ids. What is not there, or is no blob, is left out. */
export async function sizesOf(git: Git, blobs: readonly Oid[]): Promise<ReadonlyMap<Oid, number>> {
  const found = await Promise.all([...new Set(blobs)].map((oid) => git.objects.look(asOid(oid))));
  return new Map(found.flatMap((object) => (object?.type === "blob" ? [[object.oid, object.size] as const] : [])));
}
