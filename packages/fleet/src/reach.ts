import type { AttemptId, ProjectId } from "@dispatch/core";
import type { Connection, Transport } from "./transport/transport.ts";

export type GitService = "git-receive-pack" | "git-upload-pack";

/** A node that is ready for its host. */
export interface Prepared {
  /** The node's folder under the name that its own programs know it by. */
  home: string;
  /** Starts the host. */
  argv: readonly string[];
  /** What the machine said that it has. */
  machine: { cpus: number | null; memoryMb: number | null };
  /** Version of the Node.js that runs the host, such as `v20.19.0`; null when it did not say. */
  nodeVersion: string | null;
}

/** How one node is reached. */
export interface Reach {
  /** A connection that somebody else holds open, and that may be shared; undefined where there is none. Never rejects. */
  existing(): Promise<Connection | undefined>;
  /** Ways to connect, best first. */
  transports(): Promise<readonly Transport[]>;
  /** Puts what the host needs on the node. */
  prepare(connection: Connection): Promise<Prepared>;
  /** Ends what is still on its way there. */
  close(): void;
  /** What was found there counts no longer; it is looked at again. */
  forget(): void;
  /** Where git of this machine reaches a repository of the node. */
  repositoryUrl(path: string, project: ProjectId): string;
  /** Serves one conversation of git. */
  gitCommand(home: string, project: ProjectId, service: GitService): readonly string[];
  /** Program and arguments that show a session to a person. */
  attachCommand(home: string, attempt: AttemptId): string[];
}
