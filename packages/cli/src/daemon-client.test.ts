import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode, isFactoryError } from "@dispatch/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDaemonClient, projectPath, taskPath } from "./daemon-client.ts";
import { type ContractServer, createContractServer } from "./testing/contract-server.ts";
import { aRow, aStatus } from "./testing/sample-views.ts";
import { watchEvents } from "./watch-events.ts";

const home = process.cwd();
let root = "";
let server: ContractServer;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "dispatch-client-")));
  server = createContractServer(root, aStatus([aRow("shop/S01-a")]));
});

afterEach(async () => {
  await server.close();
  process.chdir(home);
  await rm(root, { recursive: true });
});

describe("createDaemonClient", () => {
  it("gets and posts JSON over the factory's socket", async () => {
    server.answers.set("POST /projects/shop/feed", (body) => ({ planned: ["shop/S01-a"], got: body }));
    await server.listen();
    const client = createDaemonClient(root);
    expect((await client.health()).factory).toBe(root);
    expect((await client.status("shop")).tasks).toHaveLength(1);
    expect(await client.post(projectPath("shop", "/feed"), { edited: true })).toEqual({ planned: ["shop/S01-a"], got: { edited: true } });
    expect(server.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /health",
      "GET /status?project=shop",
      "POST /projects/shop/feed",
    ]);
  });

  it("reaches a factory whose path is longer than a socket's name may be", async () => {
    const deep = join(root, "a".repeat(60), "b".repeat(60));
    await mkdir(deep, { recursive: true });
    process.chdir(deep);
    const near = createContractServer(".", aStatus([]));
    await near.listen();
    try {
      expect((await createDaemonClient(deep).health()).factory).toBe(".");
    } finally {
      await near.close();
    }
  });

  it("a refusal of the daemon keeps its code, hint and facts", async () => {
    const failure = { error: { code: "SPEC_INVALID", message: "no spec is fit", hint: "mend it", facts: { problems: [1] } } };
    server.answers.set("POST /projects/shop/feed", { status: 400, failure });
    await server.listen();
    const error: unknown = await createDaemonClient(root)
      .post("/projects/shop/feed")
      .catch((reason: unknown) => reason);
    expect(isFactoryError(error) && { code: error.code, hint: error.hint, facts: error.facts }).toEqual({
      code: "SPEC_INVALID",
      hint: "mend it",
      facts: { problems: [1] },
    });
  });

  it("no socket, and a socket without a listener, are both an unreachable daemon", async () => {
    const client = createDaemonClient(root);
    await expect(client.health().catch(errorCode)).resolves.toBe("DAEMON_UNREACHABLE");
    await server.listen();
    await server.close();
    await expect(client.status().catch(errorCode)).resolves.toBe("DAEMON_UNREACHABLE");
  });

  it("names of projects and tasks cannot leave their place in a path", () => {
    expect(taskPath("shop/../x?y", "/why")).toBe("/tasks/shop/..%2Fx%3Fy/why");
    expect(projectPath("a/b", "/start")).toBe("/projects/a%2Fb/start");
  });
});

describe("watchEvents", () => {
  it("gives what is stored and what comes, over a restart of the daemon, each once", async () => {
    await server.listen();
    const client = createDaemonClient(root);
    const aborting = new AbortController();
    const reached: boolean[] = [];
    const seen: number[] = [];
    server.add({ type: "project-paused", project: "shop", by: "x" });
    server.add({ type: "project-paused", project: "shop", by: "y" });
    for await (const stored of watchEvents(client, 8, { signal: aborting.signal, onReach: (is) => reached.push(is) })) {
      seen.push(stored.seq);
      if (stored.seq === 9) {
        await server.close();
        server.add({ type: "project-paused", project: "shop", by: "z" });
        await server.listen();
      } else if (stored.seq === 10) server.add({ type: "project-paused", project: "shop", by: "日本" });
      else aborting.abort();
    }
    expect(seen).toEqual([9, 10, 11]);
    expect(reached).toEqual([false, true]);
    expect(server.calls.filter(({ path }) => path.startsWith("/events")).map(({ path }) => path)).toEqual(["/events?after=8", "/events?after=9"]);
  });

  it("gives up when the daemon stays away longer than is waited", async () => {
    const client = createDaemonClient(root);
    const watching = watchEvents(client, 0, { signal: new AbortController().signal, onReach: () => {}, patienceMs: 1 });
    await expect(watching.next().catch(errorCode)).resolves.toBe("DAEMON_UNREACHABLE");
  });

  it("ends at once when it is no longer wanted", async () => {
    await server.listen();
    const aborting = new AbortController();
    const watching = watchEvents(createDaemonClient(root), 0, { signal: aborting.signal, onReach: () => {} });
    const next = watching.next();
    aborting.abort();
    expect((await next).done).toBe(true);
  });
});
