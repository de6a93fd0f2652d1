import { existsSync, statSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { FactoryError } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import { type ParsedFile, parseSpec, specKey } from "@dispatch/spec";

/** A file that was looked at. */
export interface LintedFile {
  /** Relative to the current folder, as problems name it. */
  file: string;
  /** Absolute. */
  path: string;
  text: string;
  parsed: ParsedFile["parsed"];
}

/** One after the other: a folder may hold more files than a process may have open. */
export async function readSpecFiles(root: string | undefined, paths: readonly string[], project: string | undefined): Promise<LintedFile[]> {
  const files: LintedFile[] = [];
  for (const path of paths) files.push(await readSpecFile(root, path, project));
  return files;
}

async function readSpecFile(root: string | undefined, path: string, project: string | undefined): Promise<LintedFile> {
  const file = relative(process.cwd(), path) || path;
  const fallback = project ?? folderProject(root, path);
  const text = await readFile(path, "utf8");
  return { file, path, text, parsed: parseSpec({ text, file, defaults: fallback === undefined ? {} : { project: fallback } }) };
}

/** The factory's other specs: what the named ones may depend on or overlap with. A copy of one of them is left out. */
export async function readAround(root: string, files: readonly LintedFile[]): Promise<LintedFile[]> {
  const there = new Set(files.map((file) => file.path));
  const ids = new Set(files.map(keyOf));
  const paths = (await factorySpecs(root, undefined)).filter((path) => !there.has(path));
  const others = await readSpecFiles(root, paths, undefined);
  const projects = new Set(namedProjects(files));
  return others.filter((file) => file.parsed.outcome === "parsed" && projects.has(file.parsed.spec.project) && !ids.has(keyOf(file)));
}

function keyOf({ parsed, path }: LintedFile): string {
  return parsed.outcome === "parsed" ? specKey(parsed.spec.project, parsed.spec.id) : path;
}

/** Projects that readable specs name. */
export function namedProjects(files: readonly ParsedFile[]): string[] {
  return [...new Set(files.flatMap((file) => (file.parsed.outcome === "parsed" ? [file.parsed.spec.project] : [])))];
}

/** All spec files of a factory, or of one project and the inbox. Throws USAGE without a factory. */
export async function factorySpecs(root: string | undefined, project: string | undefined): Promise<string[]> {
  if (root === undefined)
    throw new FactoryError("USAGE", "no files were named, and this is no factory", {
      fault: "user",
      hint: "dispatch lint FILE…, or run it inside a factory",
    });
  const folders = project === undefined ? [factoryPaths.specs] : [factoryPaths.pendingSpecs, `${factoryPaths.specs}/${project}`];
  const files = await expandPaths(folders.map((folder) => join(root, folder)).filter((folder) => existsSync(folder)));
  return files.filter((file) => !file.startsWith(join(root, factoryPaths.specs, "examples") + sep));
}

/** Spec files that are named, or lie in folders that are named, each once. Throws NOT_FOUND. */
export async function expandPaths(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const full = resolve(path);
    if (!existsSync(full))
      throw new FactoryError("NOT_FOUND", `${path} does not exist`, { fault: "user", hint: "name spec files or folders that hold them" });
    if (!statSync(full).isDirectory()) {
      files.push(full);
      continue;
    }
    const entries = await readdir(full, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (entry.isFile() && entry.name.endsWith(".md") && entry.name.toLowerCase() !== "readme.md") files.push(join(entry.parentPath, entry.name));
    }
  }
  return [...new Set(files)].sort();
}

/** specs/PROJECT/S01-x.md belongs to PROJECT; the inbox and the examples belong to nobody. */
function folderProject(root: string | undefined, file: string): string | undefined {
  if (root === undefined) return undefined;
  const parts = relative(join(root, factoryPaths.specs), dirname(file)).split(sep);
  const folder = parts[0];
  if (folder === undefined || folder === "" || folder === ".." || folder === basename(factoryPaths.pendingSpecs) || folder === "examples")
    return undefined;
  return folder;
}
