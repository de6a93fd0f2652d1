import { mkdirSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { type AttemptId, type Clock, errorCode, type Log, type NodeId, type NodeSnapshot, type Resources } from "@dispatch/core";
import type { Heartbeat, HostMethod, HostMethods, HostNotification } from "@dispatch/protocol";
import { type HostLink, linkHost, unreachable } from "./host-link.ts";
import { installBundle } from "./install-bundle.ts";

export interface LocalNodeConfig {
  id: NodeId;
  slots: number;
  lowPriority: boolean;
  labels: readonly string[];
  /** Executors that can run there; null: all. */
  executors: readonly string[] | null;
  capacity: Resources;
  /** Folder of the node's files; made when it is not there. */
  home: string;
}

export interface LocalNodeOptions {
  config: LocalNodeConfig;
  workerBundle: string;
  cursors(): Readonly<Record<AttemptId, number>>;
  log: Log;
  clock: Clock;
  onReport(report: Extract<HostNotification, { notify: "report" }>): void;
  onChange(): void;
}

/** Keeps one host running for a node. */
export interface LocalNode {
  home(): string;
  snapshot(): NodeSnapshot;
  heartbeat(): Heartbeat | undefined;
  /** Settles when the first try has succeeded or failed; further ones follow by themselves. */
  open(): Promise<void>;
  call<M extends HostMethod>(method: M, params: HostMethods[M]["params"]): Promise<HostMethods[M]["result"]>;
  /** Has everything behind the cursors sent again. */
  resync(): void;
  close(): Promise<void>;
}

const silenceMs = 30_000;
const steadyMs = 10_000;
const closePatienceMs = 10_000;

interface LiveNode {
  options: LocalNodeOptions;
  status: NodeSnapshot["status"];
  link: HostLink | undefined;
  heartbeat: Heartbeat | undefined;
  /** Links that fell in a row without having stood for a while. */
  failures: number;
  closing: boolean;
  resyncing: boolean;
  cancelRetry(): void;
  onClosed(): void;
}

export function createLocalNode(options: LocalNodeOptions): LocalNode {
  const { config, clock } = options;
  const live: LiveNode = {
    options,
    status: { kind: "down", because: "not opened yet" },
    link: undefined,
    heartbeat: undefined,
    failures: 0,
    closing: false,
    resyncing: false,
    cancelRetry: () => {},
    onClosed: () => {},
  };
  return {
    home: () => homeOf(config),
    snapshot: () => snapshotOf(live),
    heartbeat: () => live.heartbeat,
    open: () => connect(live),
    call(method, params) {
      if (live.link !== undefined && live.status.kind === "up") return live.link.call(method, params);
      return Promise.reject(unreachable(config.id, live.status.kind === "down" ? live.status.because : "no link"));
    },
    resync() {
      if (live.resyncing || live.link === undefined || live.status.kind === "down") return;
      live.resyncing = true;
      const done = (): void => {
        live.resyncing = false;
      };
      live.link.call("hello", { cursors: options.cursors() }).then(done, done);
    },
    async close() {
      live.closing = true;
      live.cancelRetry();
      const { link } = live;
      if (link === undefined) return;
      const closed = new Promise<void>((resolve) => {
        live.onClosed = resolve;
      });
      link.end();
      const cancelKill = clock.after(closePatienceMs, link.kill);
      await closed;
      cancelKill();
    },
  };
}

async function connect(live: LiveNode): Promise<void> {
  const { config, workerBundle, log } = live.options;
  const facts = { node: config.id };
  try {
    mkdirSync(config.home, { recursive: true });
    const bundle = await installBundle(homeOf(config), workerBundle);
    if (live.closing) return;
    await greet(live, bundle);
    log.debug(facts, "node is up");
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    log.warn({ ...facts, because }, "node could not be opened");
    // A link that fell has seen to the next try itself; one that stands but does not greet falls now.
    if (live.link !== undefined) live.link.kill();
    else if (live.status.kind === "down" && errorCode(error) !== "NODE_UNREACHABLE") fell(live, because);
  }
}

async function greet(live: LiveNode, bundle: string): Promise<void> {
  const { config, log, clock } = live.options;
  const watchdog = createWatchdog(clock, () => live.link?.kill());
  let upAt = 0;
  live.link = linkHost({
    clock,
    node: config.id,
    bundle,
    home: homeOf(config),
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
      live.link = undefined;
      if (upAt > 0 && clock.now() - upAt > steadyMs) live.failures = 0;
      fell(live, because);
    },
  });
  await live.link.call("hello", { cursors: live.options.cursors() });
  upAt = clock.now();
  live.status = { kind: "up" };
  live.options.onChange();
}

function fell(live: LiveNode, because: string): void {
  const { config, log, clock, onChange } = live.options;
  if (live.status.kind === "up" && !live.closing) log.warn({ node: config.id, because }, "node went down");
  live.status = { kind: "down", because };
  live.onClosed();
  if (live.closing) return;
  onChange();
  const pauseMs = Math.min(30_000, 100 * 2 ** live.failures) * (0.5 + Math.random() / 2);
  live.failures = Math.min(live.failures + 1, 20);
  live.cancelRetry = clock.after(pauseMs, () => void connect(live));
}

/** The name the node's own program knows its home by. */
function homeOf(config: LocalNodeConfig): string {
  try {
    return realpathSync(config.home);
  } catch {
    return resolve(config.home);
  }
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

function snapshotOf({ options: { config }, status, heartbeat }: LiveNode): NodeSnapshot {
  const { home: _, ...described } = config;
  return { ...described, load: heartbeat === undefined ? null : heartbeat.load1 / Math.max(1, config.capacity.cpus), status };
}
