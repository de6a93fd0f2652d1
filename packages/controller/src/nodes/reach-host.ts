import { type Connection, type HostLink, linkHost, type Prepared } from "@dispatch/fleet";
import type { Heartbeat } from "@dispatch/protocol";
import { systemClock } from "../system-clock.ts";

/** A worker host of a node, for as long as something is looked at. It has nothing to do with the one a daemon runs there. */
export interface ReachedHost {
  link: HostLink;
  /** Settles with its first; rejects when it ends before. */
  heartbeat: Promise<Heartbeat>;
  close(): void;
}

/** Starts the host on a node and greets it. Throws when it does not answer. */
export async function reachHost(connection: Connection, node: string, prepared: Prepared): Promise<ReachedHost> {
  const channel = await connection.run(prepared.argv, "host");
  let onBeat = (_: Heartbeat): void => {};
  let onEnd = (_: Error): void => {};
  const heartbeat = new Promise<Heartbeat>((resolve, reject) => {
    onBeat = resolve;
    onEnd = reject;
  });
  // Who does not wait for it needs no word that it never came.
  heartbeat.catch(() => undefined);
  let complaint = "";
  const link = linkHost({
    node,
    channel,
    clock: systemClock,
    onLine: () => {},
    onComplaint: (text) => {
      complaint = text;
    },
    onNotification(notification) {
      if (notification.notify === "heartbeat") onBeat(notification);
    },
    onClose: (because) => onEnd(new Error(complaint === "" ? because : complaint)),
  });
  // No cursors: no attempt is ours here, so nothing is sent again and nothing is taken from a daemon.
  await link.call("hello", { cursors: {} });
  return { link, heartbeat, close: link.end };
}
