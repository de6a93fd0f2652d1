import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const repositoryRoot = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

/** Paths of the files git tracks below `root`, sorted; undefined where `root` is no repository. */
export function trackedFiles(root) {
  try {
    const args = ["-c", "safe.directory=*", "-C", root, "ls-files", "-z"];
    const listing = execFileSync("git", args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024, stdio: ["ignore", "pipe", "ignore"] });
    return listing.split("\0").filter((path) => path !== "");
  } catch {
    return undefined;
  }
}

/** Names of the rooms: the folders of packages/ that hold a package.json. */
export function roomNames(root) {
  return readdirSync(join(root, "packages"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && pathExists(join(root, "packages", entry.name), "package.json"))
    .map((entry) => entry.name)
    .sort();
}

/** POSIX paths, relative to `root`, of all TypeScript and module files below `folder`, fixtures and built files left out. */
export function sourceFiles(root, folder) {
  const found = [];
  const queue = [folder];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    for (const entry of listFolder(join(root, path))) {
      const child = `${path}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!["node_modules", "dist", "fixtures", "changes", ".turbo"].includes(entry.name)) queue.push(child);
      } else if (/\.(ts|mts|mjs)$/.test(entry.name)) found.push(child);
    }
  }
  return found.sort();
}

/** Tests, and what only tests use: a room's src/testing/ or src/test-kit/, and the test workspace. */
export function isTestFile(path) {
  return /\.test\.ts$/.test(path) || /\/src\/(testing|test-kit)\//.test(path) || path.startsWith("test/");
}

export function readText(root, path) {
  return readFileSync(join(root, path), "utf8");
}

export function readJson(root, path) {
  return JSON.parse(readText(root, path));
}

function listFolder(path) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

function pathExists(folder, name) {
  return listFolder(folder).some((entry) => entry.name === name);
}

/** Runs a check when its file was started as a program: prints each problem and sets the exit code. */
export function runWhenMain(moduleUrl, check) {
  if (process.argv[1] === undefined || fileURLToPath(moduleUrl) !== process.argv[1]) return;
  const problems = check(repositoryRoot);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
