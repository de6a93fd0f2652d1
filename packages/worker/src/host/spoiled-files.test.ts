import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { send } from "../process/end-processes.ts";
import { checkedGroup, removeGroup } from "../process/limit/attempt-group.ts";
import { makeNode } from "../test-kit/node-home.ts";

test("what an agent spoiled in the folder of its attempt does not keep the end of a killed wrapper from being told", async () => {
  const node = await makeNode();
  try {
    const host = await node.host();
    await host.call("hello", { cursors: {} });
    const job = node.job({ script: "while :; do sleep 0.05; done" });
    await host.call("start", { job });
    const { fact } = await host.until(() => host.reportsOf(job.attempt).find((report) => report.fact.type === "round-started"));
    expect(fact).toMatchObject({ round: 1 });
    const { pid } = JSON.parse(node.read(`attempts/${job.attempt}/identity.json`));
    const group = checkedGroup(JSON.parse(node.read(`attempts/${job.attempt}/group.json`)).folder, job.token);
    for (const name of ["group.json", "status.json", "stop.json"]) writeFileSync(join(node.home, "attempts", job.attempt, name), "{ no json");
    send(pid, "SIGKILL");
    const told = { outcome: { kind: "stopped", because: "it was asked to stop" } };
    expect((await host.ended(job.attempt)).fact).toMatchObject(told);
    expect(JSON.parse(node.read(`attempts/${job.attempt}/status.json`))).toMatchObject({ last: "attempt-ended", ...told });
    rmSync(join(node.home, "attempts", job.attempt, "group.json"));
    if (group !== undefined) removeGroup(group);
  } finally {
    await node.close();
  }
});
