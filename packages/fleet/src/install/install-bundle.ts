import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { WorkerBundle } from "./read-bundle.ts";

/**
 * Puts the worker program into the home of a node on this machine under the name of its content and gives the path.
 * What is there already is compared, since a copy that was cut off has the right name too.
 */
export async function installBundle(home: string, { content, sha256 }: WorkerBundle): Promise<string> {
  const folder = join(home, "worker");
  const path = join(folder, `${sha256}.mjs`);
  const there = await readFile(path).catch(() => undefined);
  if (there?.equals(content)) return path;
  await mkdir(folder, { recursive: true });
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(draft, "w", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return path;
}
