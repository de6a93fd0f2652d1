/** Where things lie in a factory folder. All relative to the folder, with `/`. */
export const factoryPaths = {
  config: "dispatch.yaml",
  nodes: "nodes.json",
  directions: "inputs/directions",
  pendingSpecs: "specs/pending",
  specs: "specs",
  prompts: "prompts",
  reports: "reports",
  state: ".dispatch",
  ledger: ".dispatch/ledger.sqlite",
  lock: ".dispatch/daemon.lock",
  socket: ".dispatch/daemon.sock",
  /** Address and token of the loopback HTTP door, mode 0600. */
  door: ".dispatch/door.json",
  daemonLog: ".dispatch/daemon.log",
  hubs: ".dispatch/hub",
  localNode: ".dispatch/node",
  /** Accepted host keys in full, one file for each node. */
  knownHosts: ".dispatch/known-hosts",
} as const;

/** What door.json holds. */
export interface Door {
  url: string;
  token: string;
  pid: number;
}
