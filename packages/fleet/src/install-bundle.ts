import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { FactoryError } from "@dispatch/core";

/**
 * Puts the worker program into a node's home under the name of its content and gives the path.
 * What is there already is compared, since a copy that was cut off has the right name too.
 */
export async function installBundle(home: string, bundle: string): Promise<string> {
  const content = await readBundle(bundle);
  const folder = join(home, "worker");
  const path = join(folder, `${sha256(content)}.mjs`);
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

async function readBundle(bundle: string): Promise<Buffer> {
  try {
    return await readFile(bundle);
  } catch (cause) {
    throw new FactoryError("NODE_FAILED", `the worker program ${bundle} cannot be read`, { hint: "Run `npm run build`.", cause });
  }
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
