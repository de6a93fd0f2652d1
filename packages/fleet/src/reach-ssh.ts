import { nodeRepositoryPath, tmuxSocketName } from "@dispatch/protocol";
import { installWorker } from "./install/install-worker.ts";
import { type NodeFacts, probeNode } from "./install/probe-node.ts";
import { readBundle } from "./install/read-bundle.ts";
import type { SshNodeConfig } from "./node-config.ts";
import type { Prepared, Reach } from "./reach.ts";
import { repositoryUrl } from "./repository-url.ts";
import { needsOpenssh } from "./ssh/needs-openssh.ts";
import { resolveTarget } from "./ssh/resolve-target.ts";
import type { SshAccess } from "./ssh/ssh-access.ts";
import { terminalCommand } from "./ssh/ssh-command.ts";
import { createOpensshTransport, joinMaster } from "./transport/openssh-transport.ts";
import { createSsh2Transport } from "./transport/ssh2-transport.ts";

/** A machine behind SSH as a node. What was found on it is kept, so that a reconnect goes straight to the host. */
export function reachSsh(config: SshNodeConfig, given: SshAccess, workerBundle: string): Reach {
  const wanted = new AbortController();
  const access: SshAccess = { ...given, signal: wanted.signal };
  const ways = { ssh2: createSsh2Transport(access), openssh: createOpensshTransport(access) };
  let found: { facts: NodeFacts; prepared: Prepared } | undefined;
  return {
    async existing() {
      const { socket, transport } = config.ssh;
      return socket === undefined || transport === "ssh2" ? undefined : await joinMaster(access, socket);
    },
    async transports() {
      const { transport } = config.ssh;
      if (transport !== "auto") return [ways[transport]];
      const needs = await needsOpenssh(await resolveTarget(access), access);
      return needs.length > 0 ? [ways.openssh] : [ways.ssh2, ways.openssh];
    },
    async prepare(connection) {
      if (found !== undefined) return found.prepared;
      const bundle = await readBundle(workerBundle);
      const facts = await probeNode(connection, { node: config.id, workDir: config.ssh.workDir, sha256: bundle.sha256 });
      const program = await installWorker(connection, config.id, facts, bundle);
      const { home, node, path, cpus, memoryMb, nodeVersion } = facts;
      const argv = ["env", `PATH=${path}`, node, program, "host", "--home", home];
      const prepared = { home, argv, machine: { cpus, memoryMb }, nodeVersion };
      found = { facts, prepared };
      return prepared;
    },
    close: () => wanted.abort(),
    forget() {
      found = undefined;
    },
    repositoryUrl: (_, project) => repositoryUrl(config.id, project),
    gitCommand(home, project, service) {
      const neutral = ["GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C"];
      return ["env", ...neutral, found?.facts.git ?? "git", service.slice("git-".length), nodeRepositoryPath(home, project)];
    },
    attachCommand: (home, attempt) => terminalCommand(access, `exec tmux -L ${tmuxSocketName(home)} attach-session -t '=${attempt}'`),
  };
}
