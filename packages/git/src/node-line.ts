import type { Readable, Writable } from "node:stream";

export type NodeService = "git-receive-pack" | "git-upload-pack";

/** A running git service on a node. */
export interface NodeLine {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  /** Never rejects. */
  ended: Promise<unknown>;
  kill(): void;
}

/** Starts a service for the repository that the URL names. Rejects with a FactoryError. */
export type DialNode = (url: string, service: NodeService) => Promise<NodeLine>;

/** Whether a URL names a repository that is reached by dialling and not by git itself. */
export function isDialled(url: string): boolean {
  return url.startsWith("dispatch-node:");
}
