import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { Redis } from "ioredis";
import { ensureProgram } from "./ensure-program.ts";

export interface RedisServer {
  port: number;
  version: string;
  close(): Promise<void>;
}

/** Makes sure that redis-server is here and tells its version. */
function ensureRedis(say: (line: string) => void): string {
  return /v=([\d.]+)/.exec(ensureProgram("redis-server", "redis-server", say))?.[1] ?? "unknown";
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A redis-server of our own on loopback that fsyncs every write before it answers. */
export async function startRedis(dir: string, say: (line: string) => void): Promise<RedisServer> {
  const version = ensureRedis(say);
  const port = await freePort();
  // Rewriting the log in the background would only slow the peer down.
  const settings = ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--auto-aof-rewrite-percentage", "0"];
  const server = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--daemonize", "no", ...settings], {
    stdio: "ignore",
  });
  const ended = once(server, "exit");
  const probe = new Redis({ port, host: "127.0.0.1", lazyConnect: true, retryStrategy: (times) => (times > 200 ? null : 25) });
  probe.on("error", () => {});
  await probe.connect().catch(() => undefined);
  await probe.ping();
  const answered = (await probe.config("GET", "appendfsync")) as string[];
  if (answered[1] !== "always") throw new Error(`redis-server took appendfsync as ${answered[1]}`);
  probe.disconnect();
  return {
    port,
    version,
    async close() {
      server.kill("SIGTERM");
      await ended;
    },
  };
}
