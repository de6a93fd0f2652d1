import { type NodeId, type ProjectId, projectIdPattern } from "@dispatch/core";

/** Names a repository that only a connection of the pool reaches; no git command understands it by itself. */
export function repositoryUrl(node: NodeId, project: ProjectId): string {
  return `dispatch-node://${node}/${project}`;
}

export function readRepositoryUrl(url: string): { node: NodeId; project: ProjectId } | undefined {
  const [, node, project] = /^dispatch-node:\/\/([a-z][a-z0-9-]*)\/([^/]+)$/.exec(url) ?? [];
  return node === undefined || project === undefined || !projectIdPattern.test(project) ? undefined : { node, project };
}
