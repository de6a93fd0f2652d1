import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { send } from "../process/end-processes.ts";
import { connectHost, type HostClient } from "../test-kit/host-client.ts";
import { eventually, makeNode, type TestNode } from "../test-kit/node-home.ts";

const bootFile = "/proc/sys/kernel/random/boot_id";

function mayRemount(): boolean {
  return process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "true"], { stdio: "ignore" }).status === 0;
}

describe.skipIf(!mayRemount())("after a reboot of the machine", () => {
  let node: TestNode;
  const clients: HostClient[] = [];

  beforeEach(async () => {
    node = await makeNode();
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.end();
    await node.close();
  });

  /** A host, and all it starts, that sees the boot id of another boot. */
  function hostAfterReboot(): HostClient {
    const other = join(node.home, "boot_id");
    writeFileSync(other, "00000000-0000-4000-8000-000000000000\n");
    const command = `mount --bind "$1" ${bootFile} && shift && exec "$@"`;
    const client = connectHost(node.bundle, node.home, process.env, ["unshare", "--mount", "sh", "-c", command, "sh", other]);
    clients.push(client);
    return client;
  }

  test("what ran before is lost, what it left is salvaged, and the next attempt begins", async () => {
    const host = await node.host();
    await host.call("hello", { cursors: {} });
    const job = node.job({ n: 1, script: `echo 'export const value = 2;' > lib/value.js; touch "${node.home}/reached"; sleep 1090` });
    await host.call("start", { job });
    await eventually(() => existsSync(join(node.home, "reached")));
    const { fact } = await host.until(() => host.reportsOf(job.attempt)[0]);
    if (fact.type !== "attempt-started") throw new Error("not a start");
    await host.end();
    // What a power cut does.
    spawnSync("tmux", ["-L", node.socket, "kill-server"]);
    for (const pid of [fact.identity.pid, ...node.processesOf(job.token)]) send(pid, "SIGKILL");
    await eventually(() => node.processesOf(job.token).length === 0);

    const next = hostAfterReboot();
    const { bootId, attempts } = await next.call("hello", { cursors: { [job.attempt]: 2 } });
    expect(bootId).not.toBe(fact.identity.bootId);
    expect(attempts).toMatchObject([{ attempt: job.attempt, alive: false }]);
    expect((await next.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "lost" } });
    expect(next.reportsOf(job.attempt).map((report) => report.seq)).toEqual([3]);
    expect(JSON.parse(node.read(`attempts/${job.attempt}/status.json`))).toMatchObject({ last: "attempt-ended", outcome: { kind: "lost" } });
    const held = await next.call("salvage", { attempt: job.attempt });
    expect(node.git("show", `${held.salvage}:lib/value.js`)).toBe("export const value = 2;");
    await next.call("discard", { attempt: job.attempt, held });

    const again = node.job({ n: 2 });
    await next.call("start", { job: again });
    expect((await next.ended(again.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
    const started = next.reportsOf(again.attempt)[0]?.fact;
    expect(started).toMatchObject({ type: "attempt-started", identity: { bootId } });
  });
});
