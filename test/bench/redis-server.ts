import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { Redis } from "ioredis";

export interface RedisServer {
  port: number;
  version: string;
  close(): Promise<void>;
}

/** Makes sure that redis-server is here: from the system, or installed with apt-get, which it says. */
function ensureRedis(say: (line: string) => void): string {
  const look = () => spawnSync("redis-server", ["--version"], { encoding: "utf8" });
  if (look().status !== 0) {
    const command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "redis-server"];
    const root = process.getuid?.() === 0;
    const whole = root ? command : ["sudo", ...command];
    say(`redis-server is not here; installing it: ${whole.join(" ")}`);
    const [program = "", ...args] = whole;
    // A package must not start a server of its own; the benchmark starts one on a free loopback port.
    execFileSync(program, args, { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" } });
  }
  const found = look();
  if (found.status !== 0) throw new Error("redis-server could not be installed");
  return /v=([\d.]+)/.exec(found.stdout)?.[1] ?? "unknown";
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
