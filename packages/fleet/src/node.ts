import { type AttemptId, type Clock, errorCode, isFactoryError, type Log, type NodeSnapshot } from "@dispatch/core";
import type { Heartbeat, HostMethod, HostMethods, HostNotification } from "@dispatch/protocol";
import { type HostLink, linkHost } from "./host-link.ts";
import type { NodeConfig } from "./node-config.ts";
import type { Prepared, Reach } from "./reach.ts";
import type { Connection } from "./transport/transport.ts";
import { unreachable } from "./unreachable.ts";

export interface NodeOptions {
  config: NodeConfig;
  reach: Reach;
  cursors(): Readonly<Record<AttemptId, number>>;
  log: Log;
  clock: Clock;
  onReport(report: Extract<HostNotification, { notify: "report" }>): void;
  onChange(): void;
}

/** Keeps one connection and one host running for a node. */
export interface Node {
  snapshot(): NodeSnapshot;
  heartbeat(): Heartbeat | undefined;
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

const silenceMs = 30_000;
const steadyMs = 10_000;
const closePatienceMs = 10_000;
/** What a person has to mend is not mended in a second, and servers shut out who knocks too often with the wrong key. */
const patientPauseMs = 5000;
/** Tries in a row after which another way to connect gets its turn. */
const triesOfOneWay = 2;

interface LiveNode {
  options: NodeOptions;
  status: NodeSnapshot["status"];
  connection: Connection | undefined;
  prepared: Prepared | undefined;
  link: HostLink | undefined;
  heartbeat: Heartbeat | undefined;
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
  const { config } = options;
  const live: LiveNode = {
    options,
    status: { kind: "down", because: "not opened yet", since: options.clock.now() },
    connection: undefined,
    prepared: undefined,
    link: undefined,
    heartbeat: undefined,
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
    snapshot: () => snapshotOf(live),
    heartbeat: () => live.heartbeat,
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
    return unreachable(config.id, status.kind === "down" ? status.because : "no link");
  }
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
}

async function connect(live: LiveNode): Promise<void> {
  const { config, log, reach } = live.options;
  const falls = live.falls;
  try {
    const connection = await standingConnection(live);
    if (!live.closing) live.prepared = await reach.prepare(connection);
    if (live.closing) return connection.close();
    if (live.prepared !== undefined) await greet(live, connection, live.prepared);
    log.debug({ node: config.id, transport: connection.kind }, "node is up");
  } catch (error) {
    const because = describe(error);
    log.warn({ node: config.id, because, code: errorCode(error) }, "node could not be opened");
    reach.forget();
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
  const ways = await reach.transports();
  const way = ways[live.way % ways.length];
  if (way === undefined) throw unreachable(config.id, "there is no way to connect");
  try {
    const connection = await way.connect();
    live.misses = 0;
    live.connection = connection;
    connection.onClose((because) => {
      if (live.connection === connection) live.link?.lost(because);
    });
    return connection;
  } catch (error) {
    live.misses++;
    if (live.misses >= triesOfOneWay) {
      live.misses = 0;
      live.way++;
    }
    throw error;
  }
}

async function greet(live: LiveNode, connection: Connection, prepared: Prepared): Promise<void> {
  const { config, log, clock } = live.options;
  const channel = await connection.run(prepared.argv, "host");
  const watchdog = createWatchdog(clock, () => {
    link.kill();
    connection.close();
    link.lost("it fell silent");
  });
  let upAt = 0;
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

/** A host speaks every few seconds; one that has fallen silent is taken for hung. */
function createWatchdog(clock: Clock, onSilence: () => void): { heard(): void; stop(): void } {
  let cancel = (): void => {};
  let heardAt = clock.now();
  const arm = (): void => {
    cancel = clock.after(silenceMs, () => {
      if (clock.now() - heardAt >= silenceMs) onSilence();
      else arm();
    });
  };
  arm();
  return {
    heard: () => {
      heardAt = clock.now();
    },
    stop: () => cancel(),
  };
}

/** A machine that was never reached may have anything: while it is down it gets no work, but no task is too large for it either. */
export const unknownMachine = { cpus: 4096, memoryMb: 2 ** 30 };

function snapshotOf({ options: { config }, status, heartbeat, prepared }: LiveNode): NodeSnapshot {
  const { id, slots, lowPriority, labels, executors } = config;
  const capacity = {
    cpus: config.capacity.cpus ?? prepared?.machine.cpus ?? unknownMachine.cpus,
    memoryMb: config.capacity.memoryMb ?? prepared?.machine.memoryMb ?? unknownMachine.memoryMb,
    gpus: config.capacity.gpus,
  };
  return {
    id,
    slots,
    lowPriority,
    labels,
    executors,
    capacity,
    load: heartbeat === undefined ? null : heartbeat.load1 / Math.max(1, capacity.cpus),
    status,
    closed: null,
    lostAfterMs: config.lostAfterMs,
    limits: config.limits,
  };
}
