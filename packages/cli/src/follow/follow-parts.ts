import type { ProjectRow } from "@dispatch/protocol";
import type { DaemonClient } from "../daemon-client.ts";
import type { Settled } from "../render/settled.ts";
import type { Terminal } from "../terminal.ts";

/** How a follow came to its end; undefined when it was interrupted. */
export type FollowEnd = { settled: Settled; project: ProjectRow } | undefined;

export interface FollowParts {
  terminal: Terminal;
  client: DaemonClient;
  project: string;
  signal: AbortSignal;
}
