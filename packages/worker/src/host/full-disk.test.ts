import { spawnSync } from "node:child_process";
import { existsSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { HostClient } from "../test-kit/host-client.ts";
import { eventually, makeNode, type TestNode, verify } from "../test-kit/node-home.ts";

let mounted = "";

/** A small file system of its own; only root may make one. */
function mount(home: string): void {
  mounted = home;
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", home]).status !== 0) throw new Error("cannot mount");
  const { blocks, bsize } = statfsSync(home);
  if (blocks * bsize > 8 * 1024 * 1024) throw new Error("this is not the small file system");
}

function mayMount(): boolean {
  return process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "true"], { stdio: "ignore" }).status === 0;
}

describe.skipIf(!mayMount())("a full disk", () => {
  let node: TestNode;
  let host: HostClient;

  beforeEach(async () => {
    node = await makeNode(mount);
    host = await node.host();
    await host.call("hello", { cursors: {} });
  });

  afterEach(async () => {
    // Logs and sessions are in use until the processes are gone.
    spawnSync("umount", ["--lazy", mounted]);
    await node.close();
  });

  const fill = `dd if=/dev/zero of="$FILLER" bs=64k count=200 2>/dev/null; dd if=/dev/zero of="$FILLER.2" bs=1 count=5000 2>/dev/null`;

  function empty(): void {
    rmSync(join(node.home, "filler"), { force: true });
    rmSync(join(node.home, "filler.2"), { force: true });
  }

  test("filled by the agent, it costs time and no work", async () => {
    const job = node.job({
      n: 1,
      executor: {
        name: "filler",
        command: ["sh", "-c", `echo 'export const value = 2;' > lib/value.js; ${fill}`],
        prompt: "file",
        timeoutSeconds: 20,
        env: { FILLER: join(node.home, "filler") },
      },
      verify: [verify("head -c 200000 /dev/zero | tr '\\0' a")],
    });
    await host.call("start", { job });
    await eventually(() => existsSync(join(node.home, "filler.2")) && node.processesOf("dd\0if=").length === 0);
    const refused = await host.refusal("start", { job: node.job({ n: 2 }) });
    expect(refused).toMatchObject({ code: "DISK_FULL", retry: "later" });
    expect(host.reportsOf(job.attempt).at(-1)?.fact.type).not.toBe("attempt-ended");
    empty();
    const { fact } = await host.ended(job.attempt);
    if (fact.type !== "attempt-ended" || fact.outcome.kind !== "succeeded") throw new Error(JSON.stringify(fact));
    expect(node.git("show", `${fact.outcome.tip}:lib/value.js`)).toBe("export const value = 2;");
    expect(host.reportsOf(job.attempt).map((report) => report.seq)).toEqual([1, 2, 3, 4, 5]);
    const again = node.job({ n: 2 });
    await host.call("start", { job: again });
    expect((await host.ended(again.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
  });

  test("when a wrapper dies on it, its end is written when there is room", async () => {
    const job = node.job({ n: 1, script: "sleep 1030" });
    await host.call("start", { job });
    const { fact } = await host.until(() => host.reportsOf(job.attempt)[0]);
    await host.until(() => host.reportsOf(job.attempt)[1]);
    spawnSync("dd", ["if=/dev/zero", `of=${join(node.home, "filler")}`, "bs=64k", "count=200"]);
    spawnSync("dd", ["if=/dev/zero", `of=${join(node.home, "filler.2")}`, "bs=1", "count=5000"]);
    expect(() => writeFileSync(join(node.home, "probe"), "x".repeat(10_000))).toThrow();
    rmSync(join(node.home, "probe"), { force: true });
    if (fact.type !== "attempt-started") throw new Error("not a start");
    process.kill(fact.identity.pid, "SIGKILL");
    await eventually(() => node.processesOf("sleep\x001030").length === 0);
    expect(host.reportsOf(job.attempt)).toHaveLength(2);
    empty();
    expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "lost" } });
    expect(host.reportsOf(job.attempt).map((report) => report.seq)).toEqual([1, 2, 3]);
  });
});
