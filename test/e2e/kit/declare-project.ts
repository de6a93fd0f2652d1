import { library, verify } from "./library.ts";
import type { Scene } from "./scene.ts";

interface Project {
  /** Default: a new repository that holds the library. */
  repo?: string;
  verify?: string;
  landing?: "continuous" | "on-collect";
  executor?: string;
}

/** Writes a project into dispatch.yaml, where `project add` is not what is tested. */
export async function declareProject(scene: Scene, name: string, project: Project = {}): Promise<void> {
  const repo = project.repo ?? (await scene.repository(name, library));
  scene.configure(["projects", name], { verify, executor: "by-file", ...project, repo });
}
