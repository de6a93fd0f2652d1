import { type AttemptId, type Clock, errorCode, isFactoryError, type Log, type NodeSnapshot } from "@dispatch/core";
import type { Heartbeat, HostMethod, HostMethods, HostNotification } from "@dispatch/protocol";
import { type HostLink, linkHost } from "./host-link.ts";
import { judgePressure, noPressure, type Pressure } from "./judge-pressure.ts";
import type { NodeConfig } from "./node-config.ts";
import { composeSnapshot } from "./node-snapshot.ts";
import type { Prepared, Reach } from "./reach.ts";
import type { Connection, TransportKind } from "./transport/transport.ts";
import { unreachable } from "./unreachable.ts";
import { watchSilence } from "./watch-silence.ts";

export interface NodeOptions {
  config: NodeConfig;
  reach: Reach;
  cursors(): Readonly<Record<AttemptId, number>>;
  log: Log;
  clock: Clock;
  onReport(report: Extract<HostNotification, { notify: "report" }>): void;
  onChange(): void;
}

/** What is known of a node beyond its snapshot. */
export interface NodeDescription {
  /** Of the standing connection; null while it is down. */
  transport: TransportKind | null;
  /** Null: this machine. */
  target: string | null;
  /** The accepted host key, as configured. */
  hostKey: string | null;
  /** Folder of its files as configured. */
  workDir: string;
  /** The same as it was found there when the node was last up; null before. */
  home: string | null;
  /** Of the Node.js that runs its host. */
  nodeVersion: string | null;
  heartbeat: Heartbeat | null;
  /** When the node spoke last, in ms since the epoch; null when it has not. */
  heartbeatAt: number | null;
}

/** Keeps one connection and one host running for a node. */
export interface Node {
  /** The same object until something changes. */
  snapshot(): NodeSnapshot;
  heartbeat(): Heartbeat | undefined;
  describe(): NodeDescription;
  /** Takes what does not concern the way to the node. */
  adjust(config: NodeConfig): void;
  /** Whether it is kept only until it is empty. */
  leave(leaving: boolean): void;
  /** Settles when the first try has succeeded or failed; further ones follow by themselves. */
  open(): Promise<void>;
  call<M extends HostMethod>(method: M, params: HostMethods[M]["params"]): Promise<HostMethods[M]["result"]>;
  /** The standing connection and what was found on the node. Throws NODE_UNREACHABLE when it is down. */
  standing(): { connection: Connection; prepared: Prepared };
  /** As it was when the node was last up; undefined before. */
  home(): string | undefined;
  /** Has everything behind the cursors sent again. */
  resync(): void;
  close(): Promise<void>;
}

const steadyMs = 10_000;
const closePatienceMs = 10_000;
/** What a person has to mend is not mended in a second, and servers shut out who knocks too often with the wrong key. */
const patientPauseMs = 5000;
/** Tries in a row after which another way to connect gets its turn. */
const triesOfOneWay = 2;

interface LiveNode {
  options: NodeOptions;
  config: NodeConfig;
  status: NodeSnapshot["status"];
  connection: Connection | undefined;
  prepared: Prepared | undefined;
  link: HostLink | undefined;
  heartbeat: Heartbeat | undefined;
  heartbeatAt: number | null;
  pressure: Pressure;
  leaving: boolean;
  told: NodeSnapshot | undefined;
  /** Nothing could be run over the connection that somebody else holds open; until the node is up again it is left alone. */
  shunsExisting: boolean;
  /** Which of the ways to connect is in use, and how often it failed in a row. */
  way: number;
  misses: number;
  /** Links that fell in a row without having stood for a while. */
  failures: number;
  falls: number;
  closing: boolean;
  resyncing: boolean;
  cancelRetry(): void;
  onClosed(): void;
}

export function createNode(options: NodeOptions): Node {
  const live: LiveNode = {
    options,
    config: options.config,
    status: { kind: "down", because: "not opened yet", since: options.clock.now() },
    connection: undefined,
    prepared: undefined,
    link: undefined,
    heartbeat: undefined,
    heartbeatAt: null,
    pressure: noPressure,
    leaving: false,
    told: undefined,
    shunsExisting: false,
    way: 0,
    misses: 0,
    failures: 0,
    falls: 0,
    closing: false,
    resyncing: false,
    cancelRetry: () => {},
    onClosed: () => {},
  };
  return {
    snapshot() {
      live.told = composeSnapshot(live, live.told);
      return live.told;
    },
    heartbeat: () => live.heartbeat,
    describe: () => describeNode(live),
    adjust(config) {
      live.config = config;
      judge(live);
    },
    leave(leaving) {
      live.leaving = leaving;
    },
    open: () => connect(live),
    call(method, params) {
      if (live.link !== undefined && live.status.kind === "up") return live.link.call(method, params);
      return Promise.reject(downNow(live));
    },
    standing() {
      const { connection, prepared } = live;
      if (connection === undefined || prepared === undefined || live.status.kind === "down") throw downNow(live);
      return { connection, prepared };
    },
    home: () => live.prepared?.home,
    resync() {
      if (live.resyncing || live.link === undefined || live.status.kind === "down") return;
      live.resyncing = true;
      const done = (): void => {
        live.resyncing = false;
      };
      live.link.call("hello", { cursors: options.cursors() }).then(done, done);
    },
    close: () => closeNode(live),
  };

  function downNow({ status }: LiveNode): Error {
    return unreachable(options.config.id, status.kind === "down" ? status.because : "no link");
  }
}

function describeNode({ config, connection, prepared, heartbeat, heartbeatAt, status }: LiveNode): NodeDescription {
  const far = "ssh" in config ? config.ssh : undefined;
  return {
    transport: status.kind === "up" ? (connection?.kind ?? null) : null,
    target: far?.target ?? null,
    hostKey: far?.hostKey ?? null,
    workDir: "ssh" in config ? config.ssh.workDir : config.home,
    home: prepared?.home ?? null,
    nodeVersion: prepared?.nodeVersion ?? null,
    heartbeat: heartbeat ?? null,
    heartbeatAt,
  };
}

function judge(live: LiveNode): void {
  const { config, heartbeat, pressure: before } = live;
  if (heartbeat === undefined) return;
  live.pressure = judgePressure(heartbeat, config, before);
  const { tight, because } = live.pressure;
  if (tight.join() === before.tight.join()) return;
  if (tight.length > 0) live.options.log.warn({ node: config.id, because }, "node is short of room and takes no new tasks");
  else live.options.log.info({ node: config.id }, "node has room again");
}

async function closeNode(live: LiveNode): Promise<void> {
  live.closing = true;
  live.cancelRetry();
  const { link } = live;
  if (link !== undefined) {
    const closed = new Promise<void>((resolve) => {
      live.onClosed = resolve;
    });
    link.end();
    const cancelKill = live.options.clock.after(closePatienceMs, () => {
      link.kill();
      live.connection?.close();
    });
    await closed;
    cancelKill();
  }
  live.connection?.close();
  live.options.reach.close();
}

async function connect(live: LiveNode): Promise<void> {
  const { config, log, reach } = live.options;
  const falls = live.falls;
  try {
    const connection = await standingConnection(live);
    if (live.closing) return connection.close();
    const prepared = await reach.prepare(connection);
    if (live.closing) return connection.close();
    live.prepared = prepared;
    await greet(live, connection, prepared);
    log.debug({ node: config.id, transport: connection.kind }, "node is up");
  } catch (error) {
    const because = describe(error);
    log.warn({ node: config.id, because, code: errorCode(error) }, "node could not be opened");
    reach.forget();
    if (live.connection?.kind === "existing") {
      live.shunsExisting = true;
      live.connection.close();
    }
    // A link that fell has seen to the next try itself; one that stands but does not greet falls now.
    if (live.link !== undefined) live.link.kill();
    else if (live.falls === falls) fell(live, because, isFactoryError(error) && error.fault === "user" ? patientPauseMs : 0);
  }
}

function describe(error: unknown): string {
  if (isFactoryError(error)) return error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
  return error instanceof Error ? error.message : String(error);
}

/** The connection that stands, or a new one; after failures by another way, where there is one. */
async function standingConnection(live: LiveNode): Promise<Connection> {
  const { connection: known } = live;
  if (known !== undefined && known.closed() === undefined) return known;
  live.connection = undefined;
  const { reach, config } = live.options;
  const shared = live.shunsExisting ? undefined : await reach.existing();
  if (shared !== undefined) return hold(live, shared);
  const ways = await reach.transports();
  const way = ways[live.way % ways.length];
  if (way === undefined) throw unreachable(config.id, "there is no way to connect");
  try {
    const connection = await way.connect();
    live.misses = 0;
    return hold(live, connection);
  } catch (error) {
    live.misses++;
    if (live.misses >= triesOfOneWay) {
      live.misses = 0;
      live.way++;
    }
    throw error;
  }
}

function hold(live: LiveNode, connection: Connection): Connection {
  live.connection = connection;
  connection.onClose((because) => {
    if (live.connection === connection) live.link?.lost(because);
  });
  return connection;
}

async function greet(live: LiveNode, connection: Connection, prepared: Prepared): Promise<void> {
  const { config, log, clock } = live.options;
  const channel = await connection.run(prepared.argv, "host");
  if (live.closing) {
    channel.kill();
    return connection.close();
  }
  const watchdog = watchSilence(clock, () => {
    link.kill();
    connection.close();
    link.lost("it fell silent");
  });
  let upAt = 0;
  // On a slow line a heartbeat waits behind what git fetches: that shows as well that the node is there.
  connection.onBytes(watchdog.heard);
  const link = linkHost({
    clock,
    node: config.id,
    channel,
    onLine: watchdog.heard,
    onComplaint: (text) => log.warn({ node: config.id, text }, "host complained"),
    onNotification(notification) {
      if (notification.notify === "report") return live.options.onReport(notification);
      const { notify: _, ...pulse } = notification;
      live.heartbeat = pulse;
      live.heartbeatAt = clock.now();
      judge(live);
      live.options.onChange();
    },
    onClose(because) {
      watchdog.stop();
      if (live.link === link) live.link = undefined;
      if (upAt > 0 && clock.now() - upAt > steadyMs) live.failures = 0;
      if (upAt === 0) live.options.reach.forget();
      fell(live, because);
    },
  });
  live.link = link;
  await link.call("hello", { cursors: live.options.cursors() });
  upAt = clock.now();
  live.shunsExisting = false;
  live.status = { kind: "up" };
  live.options.onChange();
}

function fell(live: LiveNode, because: string, leastPauseMs = 0): void {
  const { config, log, clock, onChange } = live.options;
  const since = live.status.kind === "down" ? live.status.since : clock.now();
  if (live.status.kind === "up" && !live.closing) log.warn({ node: config.id, because }, "node went down");
  live.falls++;
  live.status = { kind: "down", because, since };
  live.onClosed();
  if (live.closing) return;
  onChange();
  const pauseMs = Math.max(leastPauseMs, Math.min(30_000, 100 * 2 ** live.failures) * (0.5 + Math.random() / 2));
  live.failures = Math.min(live.failures + 1, 20);
  live.cancelRetry = clock.after(pauseMs, () => void connect(live));
}
