import { Agent, type IncomingMessage, request } from "node:http";
import { type ErrorCode, FactoryError } from "@dispatch/core";
import { apiVersion, type ErrorView, type EventView, factoryPaths, type HealthView, type StatusView } from "@dispatch/protocol";
import { createEventStreamReader } from "./read-event-stream.ts";

/** Talks to the daemon of one factory. Every call fails with DAEMON_UNREACHABLE when none answers. */
export interface DaemonClient {
  readonly factory: string;
  /** `path` without the version: `/tasks/shop/S01-x`. */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: object): Promise<T>;
  put<T>(path: string, body: object): Promise<T>;
  health(): Promise<HealthView>;
  status(project?: string): Promise<StatusView>;
  /** Events after a position, first those that are stored, then those that come; ends when the connection does. */
  events(after: number, signal: AbortSignal): AsyncGenerator<EventView, void, void>;
}

/** Feeding and starting may clone a repository first. */
const getTimeoutMs = 30_000;
const postTimeoutMs = 600_000;

/**
 * A client for the daemon's unix socket. Moves the process into the factory: a socket's path may have
 * 108 bytes, so it is named relative to the folder.
 */
export function createDaemonClient(factory: string): DaemonClient {
  process.chdir(factory);
  const agent = new Agent({ keepAlive: false });

  function open(
    method: string,
    path: string,
    body: object | undefined,
    options: { timeoutMs?: number; signal?: AbortSignal },
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
      const call = request({
        agent,
        socketPath: factoryPaths.socket,
        method,
        path: `/${apiVersion}${path}`,
        headers,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      if (options.timeoutMs !== undefined) call.setTimeout(options.timeoutMs, () => call.destroy(silence(options.timeoutMs ?? 0)));
      call.on("error", (error) => reject(unreachable(factory, error)));
      call.on("response", resolve);
      call.end(text);
    });
  }

  async function exchange<T>(method: string, path: string, body: object | undefined, timeoutMs: number): Promise<T> {
    const response = await open(method, path, body, { timeoutMs });
    const text = await readText(response, factory);
    const value = parseJson(text, `${method} ${path}`);
    if ((response.statusCode ?? 500) >= 400) throw asFailure(value, method, path);
    return value as T;
  }

  return {
    factory,
    get: (path) => exchange("GET", path, undefined, getTimeoutMs),
    post: (path, body) => exchange("POST", path, body ?? {}, postTimeoutMs),
    put: (path, body) => exchange("PUT", path, body, postTimeoutMs),
    health: () => exchange("GET", "/health", undefined, 5000),
    status: (project) =>
      exchange("GET", project === undefined ? "/status" : `/status?project=${encodeURIComponent(project)}`, undefined, getTimeoutMs),
    async *events(after, signal) {
      const path = `/events?after=${after}`;
      const response = await open("GET", path, undefined, { signal });
      if ((response.statusCode ?? 500) >= 400) throw asFailure(parseJson(await readText(response, factory), `GET ${path}`), "GET", path);
      const reader = createEventStreamReader();
      response.setEncoding("utf8");
      try {
        for await (const chunk of response) for (const data of reader.push(chunk as string)) yield JSON.parse(data) as EventView;
      } catch (error) {
        if (!isBrokenConnection(error)) throw error;
      }
    },
  };
}

/** `/tasks/shop/S01-x` for `shop/S01-x`, with more after it. */
export function taskPath(task: string, more = ""): string {
  const slash = task.indexOf("/");
  return `/tasks/${encodeURIComponent(task.slice(0, slash))}/${encodeURIComponent(task.slice(slash + 1))}${more}`;
}

export function nodePath(node: string, more = ""): string {
  return `/nodes/${encodeURIComponent(node)}${more}`;
}

export function projectPath(project: string, more: string): string {
  return `/projects/${encodeURIComponent(project)}${more}`;
}

async function readText(response: IncomingMessage, factory: string): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  try {
    for await (const chunk of response) text += chunk as string;
  } catch (error) {
    throw unreachable(factory, error as Error);
  }
  return text;
}

function parseJson(text: string, call: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FactoryError("DAEMON_UNREACHABLE", `${call} was not answered in JSON; the daemon may be of another version`, {
      fault: "dependency",
      hint: "dispatch down, then start it again with this version",
      cause,
    });
  }
}

function asFailure(value: unknown, method: string, path: string): FactoryError {
  const { error } = value as Partial<ErrorView>;
  if (error === undefined)
    return new FactoryError("DAEMON_UNREACHABLE", `${method} ${path} was refused without a reason; the daemon may be of another version`);
  return new FactoryError(error.code as ErrorCode, error.message, { facts: error.facts, ...(error.hint === null ? {} : { hint: error.hint }) });
}

function silence(timeoutMs: number): Error {
  return Object.assign(new Error(`no answer within ${timeoutMs / 1000} seconds`), { code: "ETIMEDOUT" });
}

function unreachable(factory: string, cause: Error): Error {
  if (cause.name === "AbortError") return cause;
  const { code } = cause as NodeJS.ErrnoException;
  const none = code === "ENOENT" || code === "ECONNREFUSED";
  const message = none ? `no daemon runs for ${factory}` : `the daemon of ${factory} does not answer: ${cause.message}`;
  const hint = none
    ? "dispatch start PROJECT starts one in the background, dispatch up in this terminal"
    : `look into ${factory}/${factoryPaths.daemonLog}`;
  return new FactoryError("DAEMON_UNREACHABLE", message, { fault: "dependency", retry: "later", hint, cause, facts: { factory, running: !none } });
}

function isBrokenConnection(error: unknown): boolean {
  const { name, code } = error as NodeJS.ErrnoException;
  return name === "AbortError" || code === "ECONNRESET" || code === "EPIPE" || code === "ERR_STREAM_PREMATURE_CLOSE";
}
