import { closeSync, fsyncSync, openSync, readFileSync, realpathSync, renameSync } from "node:fs";
import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { classifySystemError } from "../classify-system-error.ts";

/** A new text that lies beside the file it is to replace. */
export interface TextBeside {
  /** Replaces the file in one turn, durably: all of the new text, or the file as it was. */
  swap(): void;
  /** Takes the new text away again, unless it was swapped in. */
  discard(): Promise<void>;
}

let serial = 0;

/** Writes a text beside a file, which need not exist yet. A link is followed; the file keeps its mode. */
export async function writeBeside(path: string, text: string): Promise<TextBeside> {
  const file = realPath(path);
  const folder = dirname(file);
  const mark = `${basename(file)}.new-`;
  serial += 1;
  const beside = join(folder, `${mark}${process.pid}-${serial}`);
  try {
    await mkdir(folder, { recursive: true });
    await removeForsaken(folder, mark);
    await writeDurably(beside, text, await modeOf(file));
  } catch (error) {
    await rm(beside, { force: true });
    throw classifySystemError(error);
  }
  return {
    swap() {
      renameSync(beside, file);
      syncFolder(folder);
    },
    discard: () => rm(beside, { force: true }),
  };
}

/** The text of a file now, or undefined when it is not there. */
export function textNow(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** What a killed process left. */
async function removeForsaken(folder: string, mark: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const writer = name.startsWith(mark) ? Number(/^\d+/.exec(name.slice(mark.length))?.[0]) : Number.NaN;
    if (writer > 0 && !isAlive(writer)) await rm(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function modeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch (error) {
    if (isAbsent(error)) return 0o644;
    throw error;
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isAbsent(error)) return path;
    throw error;
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
