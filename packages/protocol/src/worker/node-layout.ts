import type { ProjectId } from "@dispatch/core";

/** Where the bare repository of a project lies in a node's home; git reaches it under this path. */
export function nodeRepositoryPath(home: string, project: ProjectId): string {
  return `${home}/repos/${project}.git`;
}

/** Name of the tmux server of a home (`tmux -L`), the same for the same absolute path. */
export function tmuxSocketName(home: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < home.length; i++) {
    hash = ((hash ^ BigInt(home.charCodeAt(i))) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return `dispatch-${hash.toString(16).padStart(16, "0")}`;
}
