import { type AttemptId, type AttemptReport, type Clock, FactoryError, type Log, type NodeId, type NodePool } from "@dispatch/core";
import type { Heartbeat, HostMethods, SeenAttempt, TailAnswer, TailFile, TidyOrder } from "@dispatch/protocol";
import { keepNodes } from "./keep-nodes.ts";
import type { NodeDescription } from "./node.ts";
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
  /** How many attempts of a node are not over: one that is not configured any more is kept until there are none. */
  attemptsOn(node: NodeId): number;
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
  /**
   * Has these nodes from now on. A node is connected anew only when it is reached in another way than before; one that is not
   * named any more takes no new tasks, and is let go when no attempt of ours is left on it.
   */
  configure(nodes: readonly NodeConfig[]): void;
  /** Has the node remove what may go; answers with what that freed, in bytes, and what is left. */
  tidy(node: NodeId, order: TidyOrder): Promise<HostMethods["tidy"]["result"]>;
  /** Undefined for one that the pool does not have. */
  describe(node: NodeId): NodeDescription | undefined;
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
  const { nodes, cursors, attemptsOn, log, clock } = options;
  const kept = keepNodes({
    nodes,
    cursors,
    attemptsOn,
    log,
    clock,
    reachOf: (config) => reachOf(config, options),
    onReport(report) {
      for (const listener of reportListeners) listener(report);
    },
    onChange() {
      for (const listener of changeListeners) listener();
    },
  });
  const entryOf = kept.entry;
  const nodeOf = (id: NodeId) => entryOf(id).node;
  const seen = async (node: NodeId) => await nodeOf(node).call("list", { attempts: Object.keys(options.cursors()) });
  return {
    nodes: () => kept.all().map(({ node }) => node.snapshot()),
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
    makeGenerated: async (node, job) => await nodeOf(node).call("generate", job),
    async cancelVerify(node, id) {
      await nodeOf(node).call("cancelVerify", { id });
    },
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
    resync: (node) => kept.find(node)?.node.resync(),
    seenAttempts: seen,
    open: kept.open,
    close: kept.close,
    configure: kept.configure,
    tidy: async (node, order) => await nodeOf(node).call("tidy", order),
    describe: (node) => kept.find(node)?.node.describe(),
    tail: async (node, attempt, file, from, round) =>
      await nodeOf(node).call("tail", { attempt, file, from, ...(round === undefined ? {} : { round }) }),
    attachCommand(id, attempt) {
      const { node, reach } = entryOf(id);
      const home = node.home();
      if (home === undefined) throw unreachable(id, "it was not reached since the daemon began");
      return reach.attachCommand(home, attempt);
    },
    heartbeat: (node) => kept.find(node)?.node.heartbeat(),
  };
}

function reachOf(config: NodeConfig, { workerBundle, ssh, log }: NodePoolOptions): Reach {
  if (!("ssh" in config)) return reachLocal(config, workerBundle);
  const access = {
    node: config.id,
    target: config.ssh.target,
    hostKey: config.ssh.hostKey ?? undefined,
    configFile: ssh.configFile,
    knownHostsDir: ssh.knownHostsDir,
    env: ssh.env,
    log,
  };
  return reachSsh(config, access, workerBundle);
}
