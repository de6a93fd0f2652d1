import { connect, createServer, type Server, type Socket } from "node:net";

/** A way through the network to a port of this machine that can be broken and mended. */
export interface CuttableLink {
  /** Where one connects instead. */
  readonly port: number;
  /** Ends all connections now; new ones are let through. */
  cut(): void;
  /** Ends all connections and refuses new ones until it is mended. */
  part(): void;
  /** From now on nothing gets through either way, and nobody is told; new connections hang too. */
  freeze(): void;
  /** What was held back gets through. */
  mend(): void;
  close(): Promise<void>;
}

interface Pair {
  near: Socket;
  /** Not connected yet while the link is frozen. */
  far: Socket | undefined;
}

/** Forwards connections to a loopback port. Frozen it reads no more from either side, as a network that drops every packet looks to both. */
export async function makeCuttableLink(target: number): Promise<CuttableLink> {
  const pairs = new Set<Pair>();
  let state: "open" | "parted" | "frozen" = "open";

  function end(pair: Pair): void {
    pair.near.destroy();
    pair.far?.destroy();
    pairs.delete(pair);
  }

  function join(pair: Pair): void {
    const far = connect({ port: target, host: "127.0.0.1", noDelay: true });
    pair.far = far;
    const { near } = pair;
    for (const socket of [near, far]) {
      socket.on("error", () => end(pair));
      socket.once("close", () => {
        // A frozen network does not carry the news of an end either.
        if (state !== "frozen") end(pair);
      });
    }
    near.pipe(far);
    far.pipe(near);
  }

  const server: Server = createServer({ noDelay: true }, (near) => {
    if (state === "parted") return void near.destroy();
    const pair: Pair = { near, far: undefined };
    pairs.add(pair);
    near.on("error", () => end(pair));
    if (state === "frozen") near.pause();
    else join(pair);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve());
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the link has no port");
  const { port } = address;
  const cut = (): void => {
    for (const pair of [...pairs]) end(pair);
  };
  return {
    port,
    cut,
    part() {
      state = "parted";
      cut();
    },
    freeze() {
      state = "frozen";
      for (const { near, far } of pairs) {
        near.unpipe();
        far?.unpipe();
        near.pause();
        far?.pause();
      }
    },
    mend() {
      const wasFrozen = state === "frozen";
      state = "open";
      if (!wasFrozen) return;
      for (const pair of [...pairs]) {
        const { near, far } = pair;
        if (near.destroyed || far?.destroyed === true) end(pair);
        else if (far === undefined) join(pair);
        else {
          near.pipe(far);
          far.pipe(near);
        }
      }
    },
    async close() {
      state = "parted";
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
