import { connect, createServer, type Socket } from "node:net";

/** A TCP port of this machine behind which everything arrives later, in order. */
export interface DelayProxy {
  port: number;
  close(): Promise<void>;
}

/** Forwards to a local port. Half of `rttMs` is added each way; nothing is dropped, and the bandwidth is not limited. */
export async function openDelayProxy(target: number, rttMs: number): Promise<DelayProxy> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const far = connect({ port: target, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    carry(near, far, rttMs / 2);
    carry(far, near, rttMs / 2);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
    }
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return {
    port: address.port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** Timers of one length fire in the order in which they were set, so that order is kept. */
function carry(from: Socket, to: Socket, delayMs: number): void {
  const later = (act: () => void): void => {
    setTimeout(() => {
      if (!to.destroyed) act();
    }, delayMs);
  };
  from.on("data", (chunk) => later(() => to.write(chunk)));
  from.once("end", () => later(() => to.end()));
  from.on("error", () => later(() => to.destroy()));
}
