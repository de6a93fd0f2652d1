import { type ChildProcess, spawn } from "node:child_process";
import { type IncomingMessage, request } from "node:http";
import { join, resolve } from "node:path";
import type { StoredEvent } from "@dispatch/core";
import { type CollectView, factoryPaths } from "@dispatch/protocol";

const cliProgram = resolve(import.meta.dirname, "../../packages/cli/dist/bundle/dispatch.js");

/** How a process ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A daemon as a child process, spoken to over its unix socket. Calls fail with DaemonGone when it dies meanwhile. */
export interface RealDaemon {
  readonly pid: number;
  /** True when it says that it is up; false when it ended before. */
  readonly up: Promise<boolean>;
  readonly ended: Promise<Ended>;
  /** What it printed so far. */
  output(): string;
  get<T>(path: string): Promise<T>;
  post<T = CollectView>(path: string, body?: object): Promise<T>;
  /** Calls back with stored facts after a position, in order, until the daemon is gone. */
  events(after: number, onEvent: (event: StoredEvent) => void): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** The daemon cannot answer any more. */
export class DaemonGone extends Error {}

/** The daemon answered with a failure. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** Starts `dispatch up` in a factory; `crashAt` is a crash point with the number of its occurrence. */
export function startDaemon(factory: string, env: Readonly<Record<string, string>>, crashAt?: string): RealDaemon {
  const child = spawn(process.execPath, [cliProgram, "up", "--factory", factory], {
    env: { ...process.env, ...env, ...(crashAt === undefined ? {} : { DISPATCH_CRASH_AT: crashAt }) },
    stdio: ["ignore", "pipe", "pipe"],
    cwd: factory,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the daemon could not be started");
  const ended = new Promise<Ended>((done) => child.once("close", (code, signal) => done({ code, signal })));
  const output = keepOutput(child);
  const up = Promise.race([output.says("dispatch is up on").then(() => true), ended.then(() => false)]);
  const socketPath = join(factory, factoryPaths.socket);
  const exchange = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await open({ socketPath, method, path }, body);
    const value = JSON.parse(await textOf(response)) as { error?: { code: string; message: string } };
    if ((response.statusCode ?? 500) < 400) return value;
    throw new Refused(value.error?.code ?? "UNEXPECTED", value.error?.message ?? path);
  };
  return {
    pid,
    up,
    ended,
    output: output.text,
    get: async <T>(path: string) => (await exchange("GET", path)) as T,
    post: async <T>(path: string, body: object = {}) => (await exchange("POST", path, body)) as T,
    async events(after, onEvent) {
      const response = await open({ socketPath, method: "GET", path: `/events?after=${after}` });
      let text = "";
      response.setEncoding("utf8");
      try {
        for await (const chunk of response) {
          const blocks = (text + (chunk as string)).split("\n\n");
          text = blocks.pop() ?? "";
          for (const block of blocks) {
            const data = /^data: ?(.*)$/m.exec(block)?.[1];
            if (data !== undefined) onEvent(JSON.parse(data) as StoredEvent);
          }
        }
      } catch (error) {
        if (!isBroken(error)) throw error;
      }
    },
    kill: (signal) => void child.kill(signal),
  };
}

function keepOutput(child: ChildProcess): { text(): string; says(words: string): Promise<void> } {
  let text = "";
  let look = (): void => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      look();
    });
  }
  return {
    text: () => text,
    says: (words) =>
      new Promise((done) => {
        look = () => {
          if (text.includes(words)) done();
        };
      }),
  };
}

function open(where: { socketPath: string; method: string; path: string }, body?: object): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const call = request({ ...where, path: `/v1${where.path}`, headers, agent: false }, done);
    call.on("error", (error) => fail(isBroken(error) ? new DaemonGone(where.path) : error));
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  try {
    for await (const chunk of response) text += chunk as string;
  } catch (error) {
    if (isBroken(error)) throw new DaemonGone("in the middle of an answer");
    throw error;
  }
  return text;
}

function isBroken(error: unknown): boolean {
  return ["ECONNRESET", "EPIPE", "ECONNREFUSED", "ENOENT", "ERR_STREAM_PREMATURE_CLOSE"].includes((error as NodeJS.ErrnoException).code ?? "");
}
