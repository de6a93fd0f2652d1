import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteLedger } from "@dispatch/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mountSmallDisk, type SmallDisk } from "./kit/small-disk.ts";

let folder = "";
let disk: SmallDisk | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dispatch-full-"));
});
afterEach(async () => {
  await disk?.unmount();
  disk = undefined;
  rmSync(folder, { recursive: true });
});

test("a ledger that is opened without room for the index of its log says that the disk is full, and opens with room", async () => {
  disk = await mountSmallDisk(folder, 1);
  const file = join(folder, "ledger.sqlite");
  await createSqliteLedger(file).close();
  disk.fill();
  expect(() => createSqliteLedger(file)).toThrowError(expect.objectContaining({ code: "DISK_FULL" }));
  disk.free();
  await createSqliteLedger(file).close();
});
