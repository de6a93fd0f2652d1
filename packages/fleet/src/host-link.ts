import { type Clock, type ErrorCode, FactoryError, type NodeId } from "@dispatch/core";
import {
  createLineSplitter,
  decodeLine,
  encodeLine,
  type HostMethod,
  type HostMethods,
  type HostNotification,
  type WireError,
} from "@dispatch/protocol";
import type { Channel } from "./transport/transport.ts";
import { unreachable } from "./unreachable.ts";

/** One running host process and the calls that wait for it. */
export interface HostLink {
  call<M extends HostMethod>(method: M, params: HostMethods[M]["params"]): Promise<HostMethods[M]["result"]>;
  /** Ends its input; it ends what it runs itself. Sessions go on. */
  end(): void;
  kill(): void;
  /** The connection that carries it is gone. */
  lost(because: string): void;
}

export interface HostLinkOptions {
  node: NodeId;
  /** A host that was just started. */
  channel: Channel;
  clock: Clock;
  onNotification(notification: HostNotification): void;
  /** Every line of it, also answers: a sign of life. */
  onLine(): void;
  onComplaint(text: string): void;
  /** Once, after every waiting call was rejected. */
  onClose(because: string): void;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: FactoryError): void;
  cancelDeadline(): void;
}

const callLimitMs = 60_000;
const copyLimitMs = 20 * 60_000;
const marginMs = 60_000;

/** How long an answer may take, in ms: what copies or removes worktrees may be slow, and what runs tests takes as long as they may. */
function answerLimitMs<M extends HostMethod>(method: M, params: HostMethods[M]["params"]): number {
  if (method === "salvage" || method === "discard" || method === "tidy") return copyLimitMs;
  if (method !== "verify") return callLimitMs;
  const { verify } = params as HostMethods["verify"]["params"];
  return copyLimitMs + verify.reduce((sum, command) => sum + command.timeoutSeconds * 1000 + marginMs, 0);
}

/** Speaks with a host and matches its answers to calls. */
export function linkHost(options: HostLinkOptions): HostLink {
  const { channel } = options;
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let closed: string | undefined;

  const close = (because: string): void => {
    if (closed !== undefined) return;
    closed = because;
    for (const call of waiting.values()) {
      call.cancelDeadline();
      call.reject(unreachable(options.node, because));
    }
    waiting.clear();
    options.onClose(because);
  };
  void channel.ended.then(({ because }) => close(`the host ended (${because})`));
  channel.stdin.on("error", () => {});
  channel.stderr.setEncoding("utf8").on("data", (text: string) => options.onComplaint(text.trimEnd()));
  readLines(channel, (line) => {
    if (closed !== undefined) return;
    options.onLine();
    const message = decodeLine(line);
    if (message === undefined) return options.onComplaint(`not understood: ${line.slice(0, 200)}`);
    if ("notify" in message) return options.onNotification(message as unknown as HostNotification);
    settle(message, waiting, options);
  });

  return {
    call(method, params) {
      if (closed !== undefined) return Promise.reject(unreachable(options.node, closed));
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        const limitMs = answerLimitMs(method, params);
        const cancelDeadline = options.clock.after(limitMs, () => {
          waiting.delete(id);
          reject(unreachable(options.node, `${method} was not answered within ${limitMs / 1000} s`));
        });
        waiting.set(id, { resolve: resolve as (result: unknown) => void, reject, cancelDeadline });
        channel.stdin.write(encodeLine({ id, method, params }));
      });
    },
    end: () => void channel.stdin.end(),
    kill: channel.kill,
    lost: close,
  };
}

function readLines({ stdout }: Channel, onLine: (line: string) => void): void {
  const splitter = createLineSplitter();
  stdout.setEncoding("utf8").on("data", (chunk: string) => {
    for (const line of splitter.push(chunk)) onLine(line);
  });
}

function settle(message: Readonly<Record<string, unknown>>, waiting: Map<number, Waiting>, options: HostLinkOptions): void {
  const id = message["id"];
  const call = typeof id === "number" ? waiting.get(id) : undefined;
  const error = message["error"] as WireError | undefined;
  if (call === undefined || typeof id !== "number") {
    options.onComplaint(error?.message ?? "an answer to no call, or one that came too late");
    return;
  }
  waiting.delete(id);
  call.cancelDeadline();
  if (error === undefined) call.resolve(message["result"]);
  else call.reject(asFactoryError(options.node, error));
}

function asFactoryError(node: NodeId, error: WireError): FactoryError {
  const details = { fault: error.fault, retry: error.retry, facts: { node } };
  return new FactoryError(error.code satisfies ErrorCode, error.message, error.hint === null ? details : { ...details, hint: error.hint });
}
