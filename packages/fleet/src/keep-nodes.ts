import { type AttemptReport, isFactoryError, type NodeId } from "@dispatch/core";
import { compareConfigs } from "./compare-configs.ts";
import { createNode, type Node } from "./node.ts";
import type { NodeConfig } from "./node-config.ts";
import type { NodePoolOptions } from "./node-pool.ts";
import type { Reach } from "./reach.ts";
import { unreachable } from "./unreachable.ts";

export interface NodeEntry {
  config: NodeConfig;
  reach: Reach;
  node: Node;
  /** It is not configured any more. */
  leaving: boolean;
}

/** The nodes that are configured, and those that leave. */
export interface KeptNodes {
  all(): readonly NodeEntry[];
  find(id: NodeId): NodeEntry | undefined;
  /** Throws NODE_UNREACHABLE for one that is not there: it may be configured again. */
  entry(id: NodeId): NodeEntry;
  configure(configs: readonly NodeConfig[]): void;
  open(): Promise<void>;
  close(): Promise<void>;
}

export interface KeepOptions extends Pick<NodePoolOptions, "nodes" | "cursors" | "attemptsOn" | "log" | "clock"> {
  reachOf(config: NodeConfig): Reach;
  onReport(report: AttemptReport): void;
  onChange(): void;
}

const leavingLookMs = 2000;

interface Keeping {
  options: KeepOptions;
  entries: Map<NodeId, NodeEntry>;
  /** Nodes that are being closed: what comes in their place waits, since it may work in the same folder. */
  endings: Set<Promise<void>>;
  stage: "new" | "open" | "closed";
  cancelLook(): void;
}

export function keepNodes(options: KeepOptions): KeptNodes {
  const keeping: Keeping = { options, entries: new Map(), endings: new Set(), stage: "new", cancelLook: () => {} };
  const { entries, endings } = keeping;
  for (const config of options.nodes) place(keeping, config);
  return {
    all: () => [...entries.values()],
    find: (id) => entries.get(id),
    entry(id) {
      const entry = entries.get(id);
      if (entry === undefined) throw unreachable(id, "it is not in nodes.json");
      return entry;
    },
    configure: (configs) => configure(keeping, configs),
    async open() {
      keeping.stage = "open";
      await Promise.all([...entries.values()].map((entry) => begin(keeping, entry)));
    },
    async close() {
      keeping.stage = "closed";
      keeping.cancelLook();
      await Promise.all([...[...entries.values()].map(({ node }) => node.close()), ...endings]);
    },
  };
}

function configure(keeping: Keeping, configs: readonly NodeConfig[]): void {
  const { entries, options } = keeping;
  const { added, adjusted, moved, removed } = compareConfigs(new Map([...entries].map(([id, { config }]) => [id, config])), configs);
  for (const { id } of configs) setLeaving(entries.get(id), false);
  for (const id of removed) letGo(keeping, entries.get(id));
  for (const config of moved) end(keeping, entries.get(config.id));
  for (const config of [...moved, ...added]) place(keeping, config);
  for (const config of adjusted) {
    const entry = entries.get(config.id);
    if (entry !== undefined) entry.config = config;
    entry?.node.adjust(config);
  }
  lookAtLeaving(keeping);
  options.onChange();
}

function place(keeping: Keeping, config: NodeConfig): void {
  const entry = makeEntry(keeping, config);
  keeping.entries.set(config.id, entry);
  if (keeping.stage === "open") void begin(keeping, entry);
}

function makeEntry({ options, entries }: Keeping, config: NodeConfig): NodeEntry {
  const { cursors, log, clock } = options;
  const reach = options.reachOf(config);
  // One that was replaced has nothing to say any more: what it would report is reported again behind the cursors.
  const isKept = (): boolean => entries.get(config.id)?.node === node;
  const node: Node = createNode({
    config,
    reach,
    cursors,
    log,
    clock,
    onReport({ attempt, seq, at, fact }) {
      if (isKept()) options.onReport({ node: config.id, attempt, seq, reportedAt: at, fact });
    },
    onChange() {
      if (isKept()) options.onChange();
    },
  });
  return { config, reach, node, leaving: false };
}

async function begin(keeping: Keeping, entry: NodeEntry): Promise<void> {
  await Promise.all(keeping.endings);
  if (keeping.stage === "open" && keeping.entries.get(entry.config.id) === entry) await entry.node.open();
}

function end({ endings, options }: Keeping, entry: NodeEntry | undefined): void {
  if (entry === undefined) return;
  const ending = entry.node.close().catch((error: unknown) => {
    if (!isFactoryError(error)) throw error;
    options.log.warn({ node: entry.config.id, error }, "closing the link failed");
  });
  endings.add(ending);
  void ending.finally(() => endings.delete(ending));
}

/** Keeps it as long as it has attempts of ours. */
function letGo(keeping: Keeping, entry: NodeEntry | undefined): void {
  if (entry === undefined) return;
  const { entries, options } = keeping;
  const { id } = entry.config;
  if (options.attemptsOn(id) > 0) setLeaving(entry, true);
  else {
    entries.delete(id);
    end(keeping, entry);
    options.log.info({ node: id }, "node left");
  }
}

function setLeaving(entry: NodeEntry | undefined, leaving: boolean): void {
  if (entry === undefined) return;
  entry.leaving = leaving;
  entry.node.leave(leaving);
}

function lookAtLeaving(keeping: Keeping): void {
  const { entries, options } = keeping;
  const leaving = (): NodeEntry[] => [...entries.values()].filter((entry) => entry.leaving);
  const before = leaving();
  for (const entry of before) letGo(keeping, entry);
  const after = leaving();
  if (after.length < before.length) options.onChange();
  keeping.cancelLook();
  if (keeping.stage !== "closed" && after.length > 0) {
    keeping.cancelLook = options.clock.after(leavingLookMs, () => lookAtLeaving(keeping));
  }
}
