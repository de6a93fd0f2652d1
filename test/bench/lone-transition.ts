import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createSqliteLedger } from "@dispatch/store";
import { median, milliseconds } from "./benchmark.ts";
import { ended, payloadOf, placed } from "./ledger-facts.ts";
import { keeperOn, startProject } from "./ledger-lanes.ts";

const times = 150;

/** Medians of one transition that is alone in its turn, and of writing and syncing 4 KiB, taken in turns. */
export async function loneTransition(dir: string): Promise<{ transitionUs: number; fdatasyncUs: number }> {
  const ledger = createSqliteLedger(join(dir, "lone.sqlite"));
  const keeper = keeperOn(ledger);
  await startProject(keeper);
  for (let i = 0; i < times; i++) await keeper.record([payloadOf(i)]).durable;
  const name = join(dir, "sync");
  const file = openSync(name, "w");
  const page = Buffer.alloc(4096, 1);
  const transitions: number[] = [];
  const syncs: number[] = [];
  for (let i = 0; i < times; i++) {
    const { task } = payloadOf(i);
    transitions.push(await milliseconds(() => keeper.record([placed(task)]).durable));
    const at = i * page.length;
    syncs.push(
      await milliseconds(() => {
        writeSync(file, page, 0, page.length, at);
        fdatasyncSync(file);
      }),
    );
    transitions.push(await milliseconds(() => keeper.record([ended(task)]).durable));
  }
  closeSync(file);
  rmSync(name);
  await ledger.close();
  return { transitionUs: median(transitions) * 1000, fdatasyncUs: median(syncs) * 1000 };
}
