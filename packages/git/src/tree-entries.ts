import { invariant, type Oid } from "@dispatch/core";
import { type Git, treeOf } from "./open-git.ts";

/** One name of a folder. `kind` tells a regular file from a link, a folder and a submodule. */
export interface TreeEntry {
  kind: "file" | "link" | "tree" | "submodule";
  oid: Oid;
}

/** A folder as git stores it: `MODE NAME`, a zero byte and 20 bytes of object id for each entry. */
export function parseTree(content: Buffer): ReadonlyMap<string, TreeEntry> {
  const entries = new Map<string, TreeEntry>();
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(32, at);
    const zero = content.indexOf(0, space);
    invariant(space > 0 && zero > 0 && zero + 21 <= content.length, "a tree object is cut off");
    const mode = content.toString("latin1", at, space);
    entries.set(content.toString("utf8", space + 1, zero), { kind: kindOf(mode), oid: content.toString("hex", zero + 1, zero + 21) });
    at = zero + 21;
  }
  return entries;
}

function kindOf(mode: string): TreeEntry["kind"] {
  if (mode.startsWith("100")) return "file";
  if (mode === "120000") return "link";
  return mode === "160000" ? "submodule" : "tree";
}

/** The blobs of regular files in a revision, by path; what is not there, links and folders are left out. Reads only the folders of the paths. */
export async function findFiles(git: Git, revision: Oid, paths: readonly string[]): Promise<ReadonlyMap<string, Oid>> {
  const folders = new Map<string, Promise<ReadonlyMap<string, TreeEntry>>>();

  function entriesOf(folder: string): Promise<ReadonlyMap<string, TreeEntry>> {
    const known = folders.get(folder) ?? readFolder(folder);
    folders.set(folder, known);
    return known;
  }

  async function readFolder(folder: string): Promise<ReadonlyMap<string, TreeEntry>> {
    const name = folder === "" ? await treeOf(git, revision) : await treeAt(folder);
    const tree = name === undefined ? undefined : await git.objects.read(name);
    return tree === undefined ? new Map() : parseTree(tree.content);
  }

  async function entryAt(path: string): Promise<TreeEntry | undefined> {
    const slash = path.lastIndexOf("/");
    return (await entriesOf(path.slice(0, Math.max(slash, 0)))).get(path.slice(slash + 1));
  }

  async function treeAt(folder: string): Promise<Oid | undefined> {
    const entry = await entryAt(folder);
    return entry?.kind === "tree" ? entry.oid : undefined;
  }

  const found = new Map<string, Oid>();
  for (const path of paths) {
    if (path.split("/").includes("")) continue;
    const entry = await entryAt(path);
    if (entry?.kind === "file") found.set(path, entry.oid);
  }
  return found;
}
