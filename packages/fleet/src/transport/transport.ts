import type { Readable, Writable } from "node:stream";

/** `existing`: the system's ssh, over a master that somebody else keeps open. */
export type TransportKind = "local" | "ssh2" | "openssh" | "existing";

/** How a process on a node came to its end; `code` is null when a signal or a cut link ended it. */
export interface ChannelEnd {
  code: number | null;
  because: string;
}

/** One process on a node with its streams. Both outputs have to be read. */
export interface Channel {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Never rejects. */
  readonly ended: Promise<ChannelEnd>;
  /** Ends it without a word, as far as the transport can. */
  kill(): void;
}

/** `host`: the one channel that lives as long as the connection. `short`: all others, of which few are open at once. */
export type Lane = "host" | "short";

/** One connection to a node. Its processes end with it. */
export interface Connection {
  readonly kind: TransportKind;
  /** Starts a program. Resolves when it was started, which may mean to wait for a free channel. */
  run(argv: readonly string[], lane: Lane): Promise<Channel>;
  /** Writes a file with mode 0600, not atomically; its folder is made when it is not there. */
  upload(path: string, content: Uint8Array): Promise<void>;
  /** Why it is closed; undefined while it stands. */
  closed(): string | undefined;
  close(): void;
  /** Called for everything that any process on the node says. One listener: a later one takes the place of the one before. */
  onBytes(listener: () => void): void;
  /** Called once; at once when it is closed already. */
  onClose(listener: (because: string) => void): void;
}

/** A way to reach a node. */
export interface Transport {
  readonly kind: TransportKind;
  /** Rejects with a FactoryError. */
  connect(): Promise<Connection>;
}
