import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Checks out every first-parent commit of main, oldest first, in a clone of its own, and runs a command on each. */
export async function checkEveryCommit(
  repository: string,
  command: readonly string[],
  onChecked: (commit: string, green: boolean) => void,
): Promise<{ commit: string; green: boolean }[]> {
  const folder = mkdtempSync(join(tmpdir(), "dispatch-check-"));
  try {
    const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    git("clone", "-q", "--no-hardlinks", repository, ".");
    const commits = git("rev-list", "--first-parent", "--reverse", "main").trim().split("\n");
    const [program = "", ...args] = command;
    return commits.map((commit) => {
      git("checkout", "-q", "--detach", "--force", commit);
      git("clean", "-q", "-ffdx");
      const green = spawnSync(program, args, { cwd: folder, stdio: "ignore" }).status === 0;
      onChecked(commit, green);
      return { commit, green };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
