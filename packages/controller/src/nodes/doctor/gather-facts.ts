import { basename } from "node:path";
import { type Connection, type Prepared, pinText, readHostKey, resolveTarget } from "@dispatch/fleet";
import type { FactoryConfig } from "../../config/load-factory.ts";
import { type ReachedHost, reachHost } from "../reach-host.ts";
import { connectNode, type ReachedNode } from "../reach-node.ts";
import { surveyNode } from "../survey-node.ts";
import { look, skipped } from "./look.ts";
import type { Look, NodeFacts } from "./node-facts.ts";
import { tryAddress, tryPort } from "./try-address.ts";
import { tryChannels } from "./try-channels.ts";
import { tryRelay } from "./try-relay.ts";
import { tryTmux } from "./try-tmux.ts";

export interface GatherOptions {
  /** How long one look may take. */
  limitMs: number;
  /** Says what is looked at now. */
  onStep(step: string): void;
}

/** Finds out everything about a node that a task needs there. Never rejects because of the node. */
export async function gatherFacts(node: ReachedNode, factory: FactoryConfig["factory"], options: GatherOptions): Promise<NodeFacts> {
  const { entry, config } = node;
  const outside = await lookFromOutside(node, options);
  let connection: Connection | undefined;
  let over = false;
  const dead = outside.port.kind === "failed" || outside.port.kind === "late";
  options.onStep("login");
  const login = dead && entry.socket === undefined ? skipped("nothing answers there") : await look(options.limitMs, connect);
  over = true;
  async function connect(): Promise<{ transport: string; ms: number }> {
    const began = performance.now();
    const made = await connectNode(node.reach);
    if (over) made.close();
    else connection = made;
    return { transport: made.kind, ms: Math.round(performance.now() - began) };
  }
  const names = entry.executors ?? Object.keys(factory.executors);
  const executors = names.flatMap((name) => {
    const program = factory.executors[name]?.command[0];
    return program === undefined ? [] : [{ name, program }];
  });
  try {
    const inside = connection === undefined ? nothingInside("there is no connection") : await lookInside(node, connection, executors, options);
    const { limits, lowWater, slots } = config;
    const limited = Object.values(limits).some((limit) => limit !== null);
    return { node: entry.name, target: entry.ssh_target ?? null, slots, limited, lowWater, executors, ...outside, login, ...inside };
  } finally {
    connection?.close();
  }
}

type Outside = Pick<NodeFacts, "address" | "port" | "hostKey">;

/** What can be seen of a machine before anybody logs in there. */
async function lookFromOutside({ access }: ReachedNode, { limitMs, onStep }: GatherOptions): Promise<Outside> {
  if (access === undefined) {
    const here = skipped("it is this machine");
    return { address: here, port: here, hostKey: here };
  }
  onStep("address");
  const target = await look(limitMs, () => resolveTarget(access));
  if (target.kind !== "seen") return { address: target, port: skipped("no address"), hostKey: skipped("no address") };
  const { hostname, port, jumps, needsOpenssh } = target.value;
  const way =
    jumps.length > 0 ? `it is reached through ${jumps.join(", ")}` : needsOpenssh.includes("ProxyCommand") ? "it is reached by a command" : null;
  const address = way === null ? await look(limitMs, () => tryAddress(hostname)) : skipped(way);
  onStep("port");
  const opened =
    way !== null ? skipped(way) : address.kind === "seen" ? await look(limitMs, () => tryPort(hostname, port, limitMs)) : skipped("no address");
  if (way === null && opened.kind !== "seen") return { address, port: opened, hostKey: skipped("nothing answers there") };
  onStep("host key");
  const hostKey = await look(limitMs, async () => ({ pinned: access.hostKey ?? null, shown: pinText(await readHostKey(access, "auto")) }));
  return { address, port: opened, hostKey };
}

type Inside = Pick<NodeFacts, "survey" | "tmuxSession" | "worker" | "host" | "heartbeat" | "relay" | "channels">;

function nothingInside(because: string): Inside {
  const none = skipped(because);
  return { survey: none, tmuxSession: none, worker: none, host: none, heartbeat: none, relay: none, channels: none };
}

async function lookInside(
  node: ReachedNode,
  connection: Connection,
  executors: NodeFacts["executors"],
  { limitMs, onStep }: GatherOptions,
): Promise<Inside> {
  const { config, reach } = node;
  onStep("machine");
  const programs = [...new Set(executors.map(({ program }) => program))];
  const workDir = "ssh" in config ? config.ssh.workDir : config.home;
  const survey = await look(limitMs, () => surveyNode(connection, { workDir, programs }));
  onStep("tmux");
  const tmuxSession = await look(limitMs, () => timed(() => tryTmux(connection)));
  onStep("worker");
  let prepared: Prepared | undefined;
  const worker = await look(limitMs, async () => {
    prepared = await reach.prepare(connection);
    const program = prepared.argv.find((word) => word.endsWith(".mjs")) ?? "";
    return { nodeVersion: prepared.nodeVersion, bundle: basename(program, ".mjs") };
  });
  const rest = { survey, tmuxSession, worker };
  if (prepared === undefined || worker.kind !== "seen") {
    const none = skipped("the worker is not there");
    return { ...rest, host: none, heartbeat: none, relay: none, channels: none };
  }
  onStep("host");
  return { ...rest, ...(await lookThroughHost(node, connection, prepared, { limitMs, onStep })) };
}

async function lookThroughHost(
  { config, reach }: ReachedNode,
  connection: Connection,
  prepared: Prepared,
  { limitMs, onStep }: GatherOptions,
): Promise<Pick<Inside, "host" | "heartbeat" | "relay" | "channels">> {
  let reached: ReachedHost | undefined;
  const host = await look(limitMs, () =>
    timed(async () => {
      reached = await reachHost(connection, config.id, prepared);
    }),
  );
  if (reached === undefined || host.kind !== "seen") {
    const none = skipped("the host does not answer");
    return { host, heartbeat: none, relay: none, channels: none };
  }
  const answering = reached;
  try {
    const heartbeat = await look(limitMs, () => answering.heartbeat);
    onStep("git relay");
    const relay = await look(limitMs, () => timed(() => tryRelay(connection, reach, prepared, answering)));
    onStep("channels");
    const channels: Look<{ opened: number; wanted: number }> =
      connection.kind === "local" ? skipped("it is this machine") : await look(limitMs, () => tryChannels(connection));
    return { host, heartbeat, relay, channels };
  } finally {
    answering.close();
  }
}

async function timed(act: () => Promise<void>): Promise<{ ms: number }> {
  const began = performance.now();
  await act();
  return { ms: Math.round(performance.now() - began) };
}
