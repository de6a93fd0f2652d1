import { Queue, Worker } from "bullmq";
import { milliseconds } from "./benchmark.ts";
import { payloadOf } from "./ledger-facts.ts";
import { inLanes, slots } from "./ledger-lanes.ts";

/** BullMQ's add, then its claim and complete, in milliseconds: 32 adds at once, then one worker with concurrency 32. */
export async function runBullmq(port: number, name: string, n: number): Promise<{ add: number; work: number }> {
  const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
  const queue = new Queue(name, { connection });
  await queue.waitUntilReady();
  const add = await milliseconds(() =>
    inLanes(n, async (i) => {
      const { spec, text } = payloadOf(i);
      await queue.add("task", { spec, text });
    }),
  );
  let completed = 0;
  const worker = new Worker(name, async () => ({ outcome: "succeeded" }), { connection, concurrency: slots, autorun: false });
  await worker.waitUntilReady();
  const work = await milliseconds(async () => {
    const all = new Promise<void>((resolve, reject) => {
      worker.on("completed", () => {
        completed += 1;
        if (completed === n) resolve();
      });
      worker.on("failed", (_, error) => reject(error));
      worker.on("error", reject);
    });
    const running = worker.run();
    running.catch(() => {});
    await all;
  });
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
  return { add, work };
}
