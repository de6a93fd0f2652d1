import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ProjectId } from "@dispatch/core";
import { createRepositories, type GitRepositories } from "@dispatch/git";
import { factoryPaths } from "@dispatch/protocol";
import { readLog } from "@dispatch/store";
import { type FactoryRecord, readRecord } from "./read-record.ts";

/** What the ledger of a factory says, with or without a daemon; nothing is written. A factory without a ledger has an empty record. */
export function readLedger(dir: string): FactoryRecord {
  const file = join(dir, factoryPaths.ledger);
  return readRecord(existsSync(file) ? readLog(file) : []);
}

/** Projects that have a hub. */
export async function hubsOf(dir: string): Promise<readonly ProjectId[]> {
  const folder = join(dir, factoryPaths.hubs);
  if (!existsSync(folder)) return [];
  const names = await readdir(folder);
  return names.flatMap((name) => (name.endsWith(".git") ? [name.slice(0, -".git".length)] : [])).sort();
}

export function hubOf(dir: string, project: ProjectId): string {
  return join(dir, factoryPaths.hubs, `${project}.git`);
}

export function openHubs(dir: string): GitRepositories {
  return createRepositories({ hubDir: join(dir, factoryPaths.hubs) });
}
