import { constants } from "node:fs";
import { access, statfs } from "node:fs/promises";
import type { Heartbeat } from "@dispatch/protocol";

export type HomePulse = Pick<Heartbeat, "freeDiskBytes" | "totalDiskBytes" | "freeInodes" | "trouble">;

const nothingKnown = { freeDiskBytes: 0, totalDiskBytes: 0, freeInodes: null };
const patienceMs = 3000;

/**
 * Looks whether the node's folder can be worked in. A file system that does not answer holds up one look and no heartbeat:
 * while a look waits for it no further one begins.
 */
export function createHomeCheck(home: string): () => Promise<HomePulse> {
  let underWay: Promise<HomePulse> | undefined;
  return async () => {
    underWay ??= lookAt(home).finally(() => {
      underWay = undefined;
    });
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<HomePulse>((resolve) => {
      timer = setTimeout(() => resolve({ ...nothingKnown, trouble: `${home}: the file system does not answer` }), patienceMs);
    });
    const pulse = await Promise.race([underWay, silence]);
    clearTimeout(timer);
    return pulse;
  };
}

async function lookAt(home: string): Promise<HomePulse> {
  let disk: Omit<HomePulse, "trouble"> = nothingKnown;
  try {
    const { bavail, bsize, blocks, files, ffree } = await statfs(home);
    disk = { freeDiskBytes: bavail * bsize, totalDiskBytes: blocks * bsize, freeInodes: files === 0 ? null : ffree };
    await access(home, constants.R_OK | constants.W_OK | constants.X_OK);
    return { ...disk, trouble: null };
  } catch (error) {
    return { ...disk, trouble: error instanceof Error ? error.message : String(error) };
  }
}
