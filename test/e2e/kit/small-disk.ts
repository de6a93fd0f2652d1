import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "./run-program.ts";

/** A file system of a few MiB, and the means to fill it. */
export interface SmallDisk {
  /** Leaves not one free block. */
  fill(): void;
  /** Gives the room back. */
  free(): void;
  unmount(): Promise<void>;
}

const filler = ".filler";

/** Mounts a tmpfs on a folder. Needs root (CI has it); fails loudly otherwise, because a disk that is not full proves nothing. */
export async function mountSmallDisk(folder: string, mebibytes: number): Promise<SmallDisk> {
  mkdirSync(folder, { recursive: true });
  const run = (program: string, ...args: string[]) => runProgram(program, args, { cwd: "/", env: { PATH: process.env["PATH"] ?? "" } });
  const mounted = await run("mount", "-t", "tmpfs", "-o", `size=${mebibytes}m,mode=0700`, "tmpfs", folder);
  if (mounted.code !== 0) {
    throw new Error(`a test of a full disk has to mount a tmpfs, which takes root: ${mounted.stderr.trim()}. Run it as root, or in a container.`);
  }
  return {
    fill() {
      const file = openSync(join(folder, filler), "a");
      try {
        for (let size = 1 << 20; size >= 1; size = size > 4096 ? 4096 : size > 64 ? 64 : Math.floor(size / 64)) writeUntilFull(file, size);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(join(folder, filler), { force: true }),
    async unmount() {
      const { code, stderr } = await run("umount", folder);
      if (code !== 0) throw new Error(`${folder} could not be unmounted: ${stderr}`);
    },
  };
}

function writeUntilFull(file: number, size: number): void {
  const block = Buffer.alloc(size, "x");
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}
