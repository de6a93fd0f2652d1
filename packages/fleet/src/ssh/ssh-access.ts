import type { Log, NodeId } from "@dispatch/core";

/** Where and how a node is reached with SSH, and what of this machine may be used for that. */
export interface SshAccess {
  node: NodeId;
  /** `[user@]host[:port]`, `ssh://…`, or a name from the user's SSH configuration. */
  target: string;
  /** The accepted host key: `SHA256:…`, with or without its type in front; undefined: none was accepted yet. */
  hostKey: string | undefined;
  /** Another configuration file than the user's and the system's. */
  configFile: string | undefined;
  /** Folder in which accepted host keys lie in full, for the system's ssh. */
  knownHostsDir: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted when nobody wants to get there any more: what is on its way ends. */
  signal?: AbortSignal;
  /** For what fails beside the connection and does not end it. */
  log?: Pick<Log, "warn">;
}
