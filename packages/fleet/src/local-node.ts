import { mkdirSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { AttemptId, Clock, Log, NodeId, NodeSnapshot } from "@dispatch/core";
import type { Heartbeat, HostMethod, HostMethods, HostNotification } from "@dispatch/protocol";
import { type HostLink, linkHost, unreachable } from "./host-link.ts";
import { installBundle } from "./install-bundle.ts";

export interface LocalNodeConfig {
  id: NodeId;
  slots: number;
  lowPriority: boolean;
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
  close(): Promise<void>;
}

const silenceMs = 30_000;
const steadyMs = 10_000;
const closePatienceMs = 10_000;

export function createLocalNode(options: LocalNodeOptions): LocalNode {
  const { config, log, clock } = options;
  let status: NodeSnapshot["status"] = { kind: "down", because: "not opened yet" };
  let link: HostLink | undefined;
  let heartbeat: Heartbeat | undefined;
  let failures = 0;
  let closing = false;
  let cancelRetry = (): void => {};
  let onClosed: (() => void) | undefined;

  async function connect(): Promise<void> {
    const facts = { node: config.id };
    try {
      mkdirSync(config.home, { recursive: true });
      const bundle = await installBundle(homeOf(config), options.workerBundle);
      if (closing) return;
      await greet(bundle);
      log.debug(facts, "node is up");
    } catch (error) {
      const because = error instanceof Error ? error.message : String(error);
      log.warn({ ...facts, because }, "node could not be opened");
      if (link === undefined) fell(because);
      else link.kill();
    }
  }

  async function greet(bundle: string): Promise<void> {
    const watchdog = createWatchdog(clock, () => link?.kill());
    let since = 0;
    const mine = linkHost({
      node: config.id,
      bundle,
      home: homeOf(config),
      onLine: watchdog.heard,
      onComplaint: (text) => log.warn({ node: config.id, text }, "host complained"),
      onNotification(notification) {
        if (notification.notify === "report") return options.onReport(notification);
        const { notify: _, ...pulse } = notification;
        heartbeat = pulse;
        options.onChange();
      },
      onClose(because) {
        watchdog.stop();
        link = undefined;
        if (since > 0 && clock.now() - since > steadyMs) failures = 0;
        fell(because);
      },
    });
    link = mine;
    await mine.call("hello", { cursors: options.cursors() });
    since = clock.now();
    status = { kind: "up" };
    options.onChange();
  }

  function fell(because: string): void {
    const was = status.kind;
    status = { kind: "down", because };
    onClosed?.();
    if (closing) return;
    if (was === "up") log.warn({ node: config.id, because }, "node went down");
    options.onChange();
    const pauseMs = Math.min(30_000, 100 * 2 ** failures) * (0.5 + Math.random() / 2);
    failures = Math.min(failures + 1, 20);
    cancelRetry = clock.after(pauseMs, () => void connect());
  }

  return {
    home: () => homeOf(config),
    snapshot: () => ({ id: config.id, slots: config.slots, lowPriority: config.lowPriority, status }),
    heartbeat: () => heartbeat,
    open: connect,
    call(method, params) {
      if (link === undefined || status.kind === "down") {
        return Promise.reject(unreachable(config.id, status.kind === "down" ? status.because : "no link"));
      }
      return link.call(method, params);
    },
    async close() {
      closing = true;
      cancelRetry();
      const open = link;
      if (open === undefined) return;
      const closed = new Promise<void>((resolve) => {
        onClosed = resolve;
      });
      open.end();
      const cancelKill = clock.after(closePatienceMs, open.kill);
      await closed;
      cancelKill();
    },
  };
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
