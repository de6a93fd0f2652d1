import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, rename, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Door, factoryPaths } from "@dispatch/protocol";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";

const answerPatienceMs = 200;

export interface Doors {
  url: string;
  close(): Promise<void>;
}

/**
 * Opens the unix socket (guarded by its mode, 0600) and the loopback port (guarded by a token in door.json, 0600).
 * The process must stand in the factory folder: socket paths may be at most 108 bytes long.
 */
export async function openDoors(app: Hono, port: number): Promise<Doors> {
  const token = randomBytes(32).toString("hex");
  const socketServer = createAdaptorServer({ fetch: app.fetch }) as Server;
  const httpServer = createAdaptorServer({ fetch: guarded(app, token).fetch }) as Server;
  async function close(): Promise<void> {
    await Promise.all([shut(socketServer), shut(httpServer)]);
    for (const file of [factoryPaths.socket, factoryPaths.door, newDoor]) await rm(file, { force: true });
  }
  try {
    await listen(httpServer, { port, host: "127.0.0.1" });
    const url = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
    await writeDoor({ url, token, pid: process.pid });
    // The socket comes last: who finds an answer there may rely on a daemon that is up.
    if (existsSync(factoryPaths.socket)) await rm(factoryPaths.socket);
    const mask = process.umask(0o177);
    try {
      await listen(socketServer, { path: factoryPaths.socket });
    } finally {
      process.umask(mask);
    }
    return { url, close };
  } catch (error) {
    // A server that still listens would keep the process, and answer for a factory that is not open.
    await close();
    throw error;
  }
}

const newDoor = `${factoryPaths.door}.new`;

async function writeDoor(door: Door): Promise<void> {
  await writeFile(newDoor, `${JSON.stringify(door)}\n`, { mode: 0o600 });
  await chmod(newDoor, 0o600);
  await rename(newDoor, factoryPaths.door);
}

/** The same app behind a token, and only for requests that were meant for this address (no DNS rebinding). */
function guarded(app: Hono, token: string): Hono {
  const outer = new Hono();
  outer.use(async (context, next) => {
    const host = (context.req.header("host") ?? "").replace(/:\d+$/, "");
    if (host !== "127.0.0.1" && host !== "localhost")
      return context.json({ error: { code: "NOT_ALLOWED", message: "wrong Host", hint: null, facts: {} } }, 403);
    const given = /^Bearer (.+)$/.exec(context.req.header("authorization") ?? "")?.[1] ?? "";
    if (!sameSecret(given, token)) {
      return context.json(
        {
          error: {
            code: "NOT_ALLOWED",
            message: "the token is missing or wrong",
            hint: `send Authorization: Bearer with the token of ${factoryPaths.door}`,
            facts: {},
          },
        },
        401,
      );
    }
    return next();
  });
  outer.route("/", app);
  return outer;
}

function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

function listen(server: Server, where: { path: string } | { port: number; host: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Answers that are under way get a moment; streams of events never end by themselves. */
function shut(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    const patience = setTimeout(() => server.closeAllConnections(), answerPatienceMs);
    server.close(() => {
      clearTimeout(patience);
      resolve();
    });
    server.closeIdleConnections();
  });
}
