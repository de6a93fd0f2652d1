import { type AttemptId, type AttemptReport, type Clock, FactoryError, type Log, type NodeId, type NodePool } from "@dispatch/core";
import { type Heartbeat, type SeenAttempt, type TailAnswer, type TailFile, tmuxSocketName } from "@dispatch/protocol";
import { createLocalNode, type LocalNode, type LocalNodeConfig } from "./local-node.ts";

export interface LocalNodePoolOptions {
  nodes: readonly LocalNodeConfig[];
  /** The one-file program that runs on a node. */
  workerBundle: string;
  /** Last event seen of each attempt that is ours and not over; asked at every connect. */
  cursors(): Readonly<Record<AttemptId, number>>;
  log: Log;
  clock: Clock;
}

export interface LocalNodePool extends NodePool {
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
}

/** Nodes on this machine, each a host process that is a child of this one. */
export function createLocalNodePool(options: LocalNodePoolOptions): LocalNodePool {
  const { log } = options;
  const reportListeners: ((report: AttemptReport) => void)[] = [];
  const changeListeners: (() => void)[] = [];
  const nodes = new Map<NodeId, LocalNode>();
  for (const config of options.nodes) {
    const onReport = ({ attempt, seq, at, fact }: { attempt: AttemptId; seq: number; at: number; fact: AttemptReport["fact"] }): void => {
      for (const listener of reportListeners) listener({ node: config.id, attempt, seq, reportedAt: at, fact });
    };
    const onChange = (): void => {
      for (const listener of changeListeners) listener();
    };
    nodes.set(config.id, createLocalNode({ ...options, config, log, onReport, onChange }));
  }
  const nodeOf = (id: NodeId): LocalNode => {
    const node = nodes.get(id);
    if (node === undefined) throw new FactoryError("NOT_FOUND", `there is no node ${id}`, { fault: "user" });
    return node;
  };
  const seen = async (node: NodeId) => await nodeOf(node).call("list", { attempts: Object.keys(options.cursors()) });
  return {
    nodes: () => [...nodes.values()].map((node) => node.snapshot()),
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
    prepareRepository: async (node, project) => (await nodeOf(node).call("ensureRepo", { project })).path,
    inventory: async (node) => (await seen(node)).map(({ attempt }) => attempt),
    resync: (node) => nodeOf(node).resync(),
    seenAttempts: seen,
    async open() {
      await Promise.all([...nodes.values()].map((node) => node.open()));
    },
    async close() {
      await Promise.all([...nodes.values()].map((node) => node.close()));
    },
    tail: async (node, attempt, file, from, round) =>
      await nodeOf(node).call("tail", { attempt, file, from, ...(round === undefined ? {} : { round }) }),
    attachCommand: (node, attempt) => ["tmux", "-L", tmuxSocketName(nodeOf(node).home()), "attach-session", "-t", `=${attempt}`],
    heartbeat: (node) => nodeOf(node).heartbeat(),
  };
}
