import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FactoryError } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";

export interface FoundSpec {
  /** Relative to the factory, with `/`. */
  path: string;
  text: string;
  /** Whether it lies in specs/pending. */
  inbox: boolean;
}

/** Spec files of a project: all of specs/pending and specs/PROJECT, by name. Folders below them and README.md are left alone. */
export async function findSpecFiles(dir: string, project: string): Promise<FoundSpec[]> {
  const inbox = await readFolder(dir, factoryPaths.pendingSpecs, true);
  const own = await readFolder(dir, `${factoryPaths.specs}/${project}`, false);
  const names = new Map(own.map((file) => [file.path.slice(file.path.lastIndexOf("/") + 1), file]));
  for (const file of inbox) {
    const name = file.path.slice(file.path.lastIndexOf("/") + 1);
    const other = names.get(name);
    if (other !== undefined && other.text !== file.text) {
      throw new FactoryError("SPEC_CHANGED", `${file.path} and ${other.path} have the same name and different text`, {
        fault: "user",
        hint: "nothing was overwritten: merge the two by hand, or give the new one a task_id of its own",
      });
    }
  }
  return [...own, ...inbox.filter((file) => !names.has(file.path.slice(file.path.lastIndexOf("/") + 1)))];
}

async function readFolder(dir: string, folder: string, inbox: boolean): Promise<FoundSpec[]> {
  let names: string[];
  try {
    names = await readdir(join(dir, folder));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
  const specs = names.filter((name) => name.endsWith(".md") && name.toLowerCase() !== "readme.md").sort();
  const found: FoundSpec[] = [];
  // One after the other: a folder may hold more files than a process may have open.
  for (const name of specs) found.push({ path: `${folder}/${name}`, text: await readFile(join(dir, folder, name), "utf8"), inbox });
  return found;
}
