import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { invariant, isFactoryError, type Oid, type ProjectId, type ProjectSource, projectIdPattern } from "@dispatch/core";
import { classifyGitError } from "./classify-git-error.ts";
import { type Git, type GitOptions, openGit } from "./open-git.ts";
import { openHub, readMain } from "./open-hub.ts";

export interface Hubs {
  pathOf(project: ProjectId): string;
  gitOf(project: ProjectId): Git;
  /** Makes or opens a hub and returns its main. Looks it over when this process has not yet done so, or something in it has failed since. */
  open(project: ProjectSource): Promise<Oid>;
  /** What failed may have left something behind: the next who opens the hub looks it over again. */
  watched<T>(project: ProjectId, act: (git: Git) => Promise<T>, doing: string): Promise<T>;
}

/** The hubs of a folder, one `<project>.git` each. */
export function createHubs(hubDir: string, options: GitOptions): Hubs {
  const opened = new Map<ProjectId, Git>();
  const sound = new Set<ProjectId>();
  const lookedOver = new Set<ProjectId>();

  function pathOf(project: ProjectId): string {
    invariant(projectIdPattern.test(project), `${JSON.stringify(project)} is not a project id`);
    return join(hubDir, `${project}.git`);
  }

  function gitOf(project: ProjectId): Git {
    const known = opened.get(project) ?? openGit(pathOf(project), options);
    opened.set(project, known);
    return known;
  }

  async function watched<T>(project: ProjectId, act: (git: Git) => Promise<T>, doing: string): Promise<T> {
    try {
      return await guarded(() => act(gitOf(project)), doing);
    } catch (error) {
      sound.delete(project);
      throw error;
    }
  }

  async function open(project: ProjectSource): Promise<Oid> {
    const hub = pathOf(project.id);
    if (sound.has(project.id) && existsSync(hub)) return readMain(gitOf(project.id));
    // What is remembered of a hub that is gone is of no use for the next one.
    if (!existsSync(hub)) opened.delete(project.id);
    await mkdir(hubDir, { recursive: true });
    const main = await openHub(hub, project, { ...options, ours: lookedOver.has(project.id) });
    lookedOver.add(project.id);
    sound.add(project.id);
    return main;
  }

  return { pathOf, gitOf, watched, open: (project) => watched(project.id, () => open(project), `open the hub of ${project.id}`) };
}

/** A full disk shows up in our own file operations as well as in git. */
export async function guarded<T>(act: () => Promise<T>, doing: string): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isFactoryError(error) || !(error instanceof Error) || !("code" in error)) throw error;
    throw classifyGitError({ doing, stderr: error.message, exitCode: null });
  }
}
