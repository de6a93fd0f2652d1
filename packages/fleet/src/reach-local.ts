import { mkdirSync, realpathSync } from "node:fs";
import { nodeRepositoryPath, tmuxSocketName } from "@dispatch/protocol";
import { installBundle } from "./install/install-bundle.ts";
import { readBundle } from "./install/read-bundle.ts";
import type { LocalNodeConfig } from "./node-config.ts";
import type { Reach } from "./reach.ts";
import { createLocalTransport } from "./transport/local-transport.ts";

/** This machine as a node. */
export function reachLocal(config: LocalNodeConfig, workerBundle: string): Reach {
  const transport = createLocalTransport();
  return {
    existing: async () => undefined,
    transports: async () => [transport],
    async prepare() {
      mkdirSync(config.home, { recursive: true });
      const home = realpathSync(config.home);
      const bundle = await installBundle(home, await readBundle(workerBundle));
      return {
        home,
        argv: [process.execPath, bundle, "host", "--home", home],
        machine: { cpus: null, memoryMb: null },
        nodeVersion: process.version,
      };
    },
    close() {},
    forget() {},
    repositoryUrl: (path) => path,
    gitCommand: (home, project, service) => ["git", service.slice("git-".length), nodeRepositoryPath(home, project)],
    attachCommand: (home, attempt) => ["tmux", "-L", tmuxSocketName(home), "attach-session", "-t", `=${attempt}`],
  };
}
