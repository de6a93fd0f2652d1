import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Workspace } from "./capture-tree.ts";
import { runGit } from "./run-git.ts";

/** Puts the files of repositories inside the worktree into our index, without their `.git`. */
export async function hashNestedFiles(workspace: Workspace, folders: readonly string[]): Promise<void> {
  const run = { gitDir: workspace.repository, workTree: workspace.worktree, index: workspace.index };
  const files: { path: string; mode: string }[] = [];
  for (const folder of folders) collect(workspace.worktree, folder, files);
  const plain = files.filter((file) => file.mode !== "120000");
  // One path a line is all that hash-object reads, so a path with a line break goes alone.
  const listed = plain.filter((file) => !file.path.includes("\n"));
  const said = await runGit(["hash-object", "-w", "--no-filters", "--stdin-paths"], {
    ...run,
    input: listed.map((file) => `${file.path}\n`).join(""),
  });
  const ids = new Map(
    said
      .toString("utf8")
      .trimEnd()
      .split("\n")
      .map((id, i) => [listed[i]?.path, id]),
  );
  for (const file of files) {
    if (ids.has(file.path)) continue;
    const input = file.mode === "120000" ? readlinkSync(join(workspace.worktree, file.path), "buffer") : undefined;
    const args = input === undefined ? ["hash-object", "-w", "--no-filters", "--", file.path] : ["hash-object", "-w", "--stdin"];
    ids.set(file.path, (await runGit(args, { ...run, ...(input === undefined ? {} : { input }) })).toString("utf8").trim());
  }
  const gone = folders.map((folder) => `0 ${"0".repeat(40)}\t${folder}\0`).join("");
  const entries = files.map((file) => `${file.mode} ${ids.get(file.path)}\t${file.path}\0`).join("");
  await runGit(["update-index", "-z", "--index-info"], { ...run, input: gone + entries });
}

function collect(worktree: string, folder: string, files: { path: string; mode: string }[]): void {
  for (const entry of readdirSync(join(worktree, folder), { withFileTypes: true })) {
    if (entry.name === ".git") continue;
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) collect(worktree, path, files);
    else if (entry.isSymbolicLink()) files.push({ path, mode: "120000" });
    else if (entry.isFile()) files.push({ path, mode: (lstatSync(join(worktree, path)).mode & 0o111) === 0 ? "100644" : "100755" });
  }
}
