import { appendFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ProjectId } from "@dispatch/core";
import { nodeRepositoryPath } from "@dispatch/protocol";
import { hasCode } from "../durable-files.ts";
import { runGit } from "../git/run-git.ts";
import { checkProject, type Host } from "./host.ts";

/** For the agents' own git commands; ours name what they need themselves. */
const settings = `[core]
\thooksPath = /dev/null
[gc]
\tauto = 0
[maintenance]
\tauto = false
[receive]
\tautogc = false
[commit]
\tgpgSign = false
[user]
\tname = Dispatch
\temail = dispatch@localhost
`;

/** Makes the project's bare repository on this node, unless it is there. Appears complete or not at all, also when several ask at once. */
export async function ensureRepository(host: Host, project: ProjectId): Promise<string> {
  const path = nodeRepositoryPath(host.home, checkProject(project));
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const draft = mkdtempSync(`${path}.draft-`);
  await runGit(["init", "--quiet", "--bare", "--template=", "--initial-branch=main"], { gitDir: draft });
  appendFileSync(join(draft, "config"), settings);
  try {
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw error;
  }
  return path;
}
