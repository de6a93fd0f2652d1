import { mkdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { eventVersion, type FactoryEvent, type StoredEvent } from "@dispatch/core";
import { type ErrorView, factoryPaths, type StatusView } from "@dispatch/protocol";

/** An answer of an endpoint: data, or a failure. */
export type Answer = object | { failure: ErrorView; status: number };

/** A daemon in nothing but its contract: answers that are set, events that are added. */
export interface ContractServer {
  /** By `METHOD /path?query`, with or without the query, below /v1. */
  readonly answers: Map<string, Answer | ((body: unknown) => Answer)>;
  readonly calls: { method: string; path: string; body: unknown }[];
  status: StatusView;
  add(event: FactoryEvent, at?: number): void;
  listen(): Promise<void>;
  close(): Promise<void>;
}

export function createContractServer(factory: string, status: StatusView): ContractServer {
  const events: StoredEvent[] = [];
  const streams = new Set<ServerResponse>();
  const calls: ContractServer["calls"] = [];
  const answers: ContractServer["answers"] = new Map();
  let server: Server | undefined;

  const self: ContractServer = {
    answers,
    calls,
    status,
    add(event, at = status.at) {
      const stored: StoredEvent = { seq: (events.at(-1)?.seq ?? self.status.lastSeq) + 1, at, v: eventVersion, event };
      events.push(stored);
      self.status = { ...self.status, lastSeq: stored.seq };
      for (const stream of streams) stream.write(messageOf(stored));
    },
    listen() {
      mkdirSync(join(factory, factoryPaths.state), { recursive: true });
      const socket = join(factory, factoryPaths.socket);
      rmSync(socket, { force: true });
      server = createServer((request, response) => void answer(request, response));
      return new Promise((resolve) => server?.listen(socket, resolve));
    },
    close() {
      const closing = server;
      server = undefined;
      return new Promise((resolve) => {
        if (closing === undefined) return resolve();
        closing.close(() => resolve());
        closing.closeAllConnections();
      });
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk as string;
    const url = new URL(request.url ?? "/", "http://daemon");
    const path = url.pathname.replace(/^\/v1/, "");
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    calls.push({ method: request.method ?? "", path: path + url.search, body });
    if (path === "/events") return openStream(Number(url.searchParams.get("after")), response);
    const known = answers.get(`${request.method} ${path}${url.search}`) ?? answers.get(`${request.method} ${path}`);
    const value = typeof known === "function" ? known(body) : (known ?? builtIn(path));
    const failure = "failure" in value ? value : undefined;
    response.writeHead(failure?.status ?? 200, { "content-type": "application/json" });
    response.end(JSON.stringify(failure?.failure ?? value));
  }

  function builtIn(path: string): Answer {
    if (path === "/health") return { version: "0.1.0", pid: process.pid, factory, startedAt: self.status.at };
    if (path === "/status") return self.status;
    return { status: 404, failure: { error: { code: "NOT_FOUND", message: `no such endpoint: ${path}`, hint: null, facts: {} } } };
  }

  function openStream(after: number, response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": open\n\n");
    for (const stored of events) if (stored.seq > after) response.write(messageOf(stored));
    streams.add(response);
    response.on("close", () => streams.delete(response));
  }

  return self;
}

function messageOf(stored: StoredEvent): string {
  return `event: ${stored.event.type}\nid: ${stored.seq}\ndata: ${JSON.stringify(stored)}\n\n`;
}
