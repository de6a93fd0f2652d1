import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function gitOut(repository: string, ...args: string[]): string {
  return execFileSync("git", ["-C", repository, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

export function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** The commits of main's first-parent line on which a command fails, run on a checkout of each. `tested`: how many there are. */
export function redCommits(repository: string, command: string): { tested: number; red: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), "dispatch-bench-prove-"));
  try {
    gitOut(repository, "clone", "-q", "--shared", "--no-checkout", repository, folder);
    const commits = linesOf(gitOut(folder, "rev-list", "--first-parent", "origin/main"));
    const red = commits.filter((commit) => {
      gitOut(folder, "checkout", "-q", "--detach", "--force", commit);
      return spawnSync("sh", ["-c", command], { cwd: folder, stdio: "ignore" }).status !== 0;
    });
    return { tested: commits.length, red };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
