import { type AttemptId, type AttemptReport, type Clock, FactoryError, type Log, type NodeId, type NodePool } from "@dispatch/core";
import type { Heartbeat, SeenAttempt, TailAnswer, TailFile } from "@dispatch/protocol";
import { createNode, type Node } from "./node.ts";
import type { NodeConfig } from "./node-config.ts";
import type { GitService, Reach } from "./reach.ts";
import { reachLocal } from "./reach-local.ts";
import { reachSsh } from "./reach-ssh.ts";
import { readRepositoryUrl } from "./repository-url.ts";
import type { Channel } from "./transport/transport.ts";
import { unreachable } from "./unreachable.ts";

export interface NodePoolOptions {
  nodes: readonly NodeConfig[];
  /** The one-file program that runs on a node. */
  workerBundle: string;
  /** Last event seen of each attempt that is ours and not over; asked at every connect. */
  cursors(): Readonly<Record<AttemptId, number>>;
  log: Log;
  clock: Clock;
  /** What nodes behind SSH need of this machine. */
  ssh: {
    /** Folder in which accepted host keys are kept in full for the system's ssh. */
    knownHostsDir: string;
    env: Readonly<Record<string, string | undefined>>;
    /** Another SSH configuration than the user's and the system's. */
    configFile?: string;
  };
}

export interface ConnectedNodePool extends NodePool {
  /** Connects all nodes. Settles when each is up or has failed once; failed ones are tried again. */
  open(): Promise<void>;
  /** Ends the hosts. Sessions go on. */
  close(): Promise<void>;
  /** What the node knows: of our attempts those it has ever seen, and strangers that have a worktree there. */
  seenAttempts(node: NodeId): Promise<readonly SeenAttempt[]>;
  tail(node: NodeId, attempt: AttemptId, file: TailFile, from: number, round?: number): Promise<TailAnswer>;
  /** Program and arguments that show a session to a person. */
  attachCommand(node: NodeId, attempt: AttemptId): string[];
  heartbeat(node: NodeId): Heartbeat | undefined;
  /** One conversation of git with a repository that `prepareRepository` named. */
  dialRepository(url: string, service: GitService): Promise<Channel>;
}

/** The nodes of a factory, each with one connection and one host process. */
export function createNodePool(options: NodePoolOptions): ConnectedNodePool {
  const reportListeners: ((report: AttemptReport) => void)[] = [];
  const changeListeners: (() => void)[] = [];
  const nodes = new Map<NodeId, { node: Node; reach: Reach }>();
  for (const config of options.nodes) {
    const reach = reachOf(config, options);
    const onReport = ({ attempt, seq, at, fact }: { attempt: AttemptId; seq: number; at: number; fact: AttemptReport["fact"] }): void => {
      for (const listener of reportListeners) listener({ node: config.id, attempt, seq, reportedAt: at, fact });
    };
    const onChange = (): void => {
      for (const listener of changeListeners) listener();
    };
    const { cursors, log, clock } = options;
    nodes.set(config.id, { reach, node: createNode({ config, reach, cursors, log, clock, onReport, onChange }) });
  }
  const entryOf = (id: NodeId): { node: Node; reach: Reach } => {
    const entry = nodes.get(id);
    if (entry === undefined) throw new FactoryError("NOT_FOUND", `there is no node ${id}`, { fault: "user" });
    return entry;
  };
  const nodeOf = (id: NodeId): Node => entryOf(id).node;
  const seen = async (node: NodeId) => await nodeOf(node).call("list", { attempts: Object.keys(options.cursors()) });
  return {
    nodes: () => [...nodes.values()].map(({ node }) => node.snapshot()),
    onReport: (listener) => void reportListeners.push(listener),
    onChange: (listener) => void changeListeners.push(listener),
    async startAttempt(node, job) {
      await nodeOf(node).call("start", { job });
    },
    async stopAttempt(node, attempt, because) {
      await nodeOf(node).call("stop", { attempt, because, cursor: options.cursors()[attempt] ?? 0 });
    },
    async tellAttempt(node, attempt, n, text) {
      await nodeOf(node).call("tell", { attempt, n, text });
    },
    salvageAttempt: async (node, attempt) => await nodeOf(node).call("salvage", { attempt }),
    async discardAttempt(node, attempt, held) {
      await nodeOf(node).call("discard", { attempt, held });
    },
    runVerify: async (node, job) => await nodeOf(node).call("verify", job),
    async prepareRepository(id, project) {
      const { node, reach } = entryOf(id);
      const { path } = await node.call("ensureRepo", { project });
      return reach.repositoryUrl(path, project);
    },
    async dialRepository(url, service) {
      const named = readRepositoryUrl(url);
      if (named === undefined) throw new FactoryError("USAGE", `not a repository of a node: ${url}`);
      const { node, reach } = entryOf(named.node);
      const { connection, prepared } = node.standing();
      return await connection.run(reach.gitCommand(prepared.home, named.project, service), "short");
    },
    inventory: async (node) => (await seen(node)).map(({ attempt }) => attempt),
    resync: (node) => nodeOf(node).resync(),
    seenAttempts: seen,
    async open() {
      await Promise.all([...nodes.values()].map(({ node }) => node.open()));
    },
    async close() {
      await Promise.all([...nodes.values()].map(({ node }) => node.close()));
    },
    tail: async (node, attempt, file, from, round) =>
      await nodeOf(node).call("tail", { attempt, file, from, ...(round === undefined ? {} : { round }) }),
    attachCommand(id, attempt) {
      const { node, reach } = entryOf(id);
      const home = node.home();
      if (home === undefined) throw unreachable(id, "it was not reached since the daemon began");
      return reach.attachCommand(home, attempt);
    },
    heartbeat: (node) => nodeOf(node).heartbeat(),
  };
}

function reachOf(config: NodeConfig, { workerBundle, ssh }: NodePoolOptions): Reach {
  if (!("ssh" in config)) return reachLocal(config, workerBundle);
  const access = {
    node: config.id,
    target: config.ssh.target,
    hostKey: config.ssh.hostKey ?? undefined,
    configFile: ssh.configFile,
    knownHostsDir: ssh.knownHostsDir,
    env: ssh.env,
  };
  return reachSsh(config, access, workerBundle);
}
