import { type ChildProcess, spawn } from "node:child_process";
import type { AttemptId } from "@dispatch/core";
import { createLineSplitter, encodeLine, type HostMethod, type HostMethods, type HostNotification, type WireError } from "@dispatch/protocol";

export type Report = Extract<HostNotification, { notify: "report" }>;

/** A controller's end of the line to a real host process. */
export interface HostClient {
  child: ChildProcess;
  reports: Report[];
  heartbeats: HostNotification[];
  /** Answers to no call. */
  orphans: unknown[];
  call<M extends HostMethod>(method: M, params: HostMethods[M]["params"]): Promise<HostMethods[M]["result"]>;
  /** The error of a call that must fail. */
  refusal<M extends HostMethod>(method: M, params: HostMethods[M]["params"]): Promise<WireError>;
  sendRaw(line: string): void;
  /** Waits until the messages so far satisfy a condition. */
  until<T>(what: () => T | undefined | false): Promise<T>;
  reportsOf(attempt: AttemptId): Report[];
  ended(attempt: AttemptId): Promise<Report>;
  end(): Promise<void>;
}

/** `before`: a program and arguments that start the host in their own way. */
export function connectHost(bundle: string, home: string, env: NodeJS.ProcessEnv = process.env, before: readonly string[] = []): HostClient {
  const [program = process.execPath, ...args] = [...before, process.execPath, bundle, "host", "--home", home];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"], env });
  const pending = new Map<number | null, { resolve: (value: unknown) => void; reject: (error: WireError) => void }>();
  const reports: Report[] = [];
  const heartbeats: HostNotification[] = [];
  const orphans: unknown[] = [];
  const waiting = new Set<() => void>();
  const splitter = createLineSplitter();
  let lastId = 0;
  child.stdin?.on("error", () => {});
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    for (const line of splitter.push(chunk)) {
      const message = JSON.parse(line);
      if (message.notify === "report") reports.push(message);
      else if (message.notify === "heartbeat") heartbeats.push(message);
      else if (message.id === null) orphans.push(message);
      else if (message.error) pending.get(message.id)?.reject(message.error);
      else pending.get(message.id)?.resolve(message.result);
    }
    for (const look of waiting) look();
  });
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const client: HostClient = {
    child,
    reports,
    heartbeats,
    orphans,
    call(method, params) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
        child.stdin?.write(encodeLine({ id, method, params }));
      });
    },
    async refusal(method, params) {
      return await client.call(method, params).then(
        (result) => {
          throw new Error(`${method} should have failed, gave ${JSON.stringify(result)}`);
        },
        (error: WireError) => error,
      );
    },
    sendRaw: (line) => void child.stdin?.write(`${line}\n`),
    until(what) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`waited in vain; reports: ${JSON.stringify(reports.map((r) => r.fact)).slice(0, 4000)}`));
        }, 30_000);
        const look = (): void => {
          const value = what();
          if (value === undefined || value === false) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(value as Exclude<typeof value, false | undefined>);
        };
        waiting.add(look);
        look();
      });
    },
    reportsOf: (attempt) => reports.filter((report) => report.attempt === attempt),
    ended: (attempt) => client.until(() => reports.find((report) => report.attempt === attempt && report.fact.type === "attempt-ended")),
    async end() {
      child.stdin?.end();
      await exited;
    },
  };
  return client;
}
