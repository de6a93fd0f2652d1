import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { FactoryError } from "@dispatch/core";

/** The one-file program that runs on a node. */
export interface WorkerBundle {
  content: Buffer;
  sha256: string;
}

export async function readBundle(path: string): Promise<WorkerBundle> {
  try {
    const content = await readFile(path);
    return { content, sha256: createHash("sha256").update(content).digest("hex") };
  } catch (cause) {
    throw new FactoryError("NODE_FAILED", `the worker program ${path} cannot be read`, { hint: "Run `npm run build`.", cause });
  }
}
