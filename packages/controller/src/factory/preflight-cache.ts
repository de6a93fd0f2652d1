import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Oid, VerifyCommand } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import * as z from "zod";

/** What is remembered of one run. */
const Remembered = z.object({ outcome: z.enum(["passes", "fails"]), at: z.number() });

export interface PreflightCache {
  get(tree: Oid, verify: readonly VerifyCommand[]): Promise<"passes" | "fails" | undefined>;
  set(tree: Oid, verify: readonly VerifyCommand[], outcome: "passes" | "fails"): Promise<void>;
}

/** Programs are installed and services started while the files stay the same, so nothing is believed for longer. */
const believedMs = 24 * 60 * 60 * 1000;

/** Outcomes by what was checked out and what was run, in the factory, for the daemon and offline lints alike. */
export function openPreflightCache(factory: string, now: () => number): PreflightCache {
  const folder = join(factory, factoryPaths.state, "preflight");
  const fileOf = (tree: Oid, verify: readonly VerifyCommand[]): string =>
    join(
      folder,
      `${createHash("sha256")
        .update(JSON.stringify([tree, verify]))
        .digest("hex")}.json`,
    );
  let swept = false;

  async function believed(file: string): Promise<"passes" | "fails" | undefined> {
    const known = await readRemembered(file);
    return known === undefined || now() - known.at > believedMs ? undefined : known.outcome;
  }

  /** Once a process: what is not believed any more. */
  async function sweep(): Promise<void> {
    if (swept) return;
    swept = true;
    for (const name of await readdir(folder)) {
      if (name.endsWith(".json") && (await believed(join(folder, name))) === undefined) await rm(join(folder, name), { force: true });
    }
  }

  return {
    get: (tree, verify) => believed(fileOf(tree, verify)),
    async set(tree, verify, outcome) {
      const file = fileOf(tree, verify);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(`${file}.${process.pid}`, JSON.stringify({ outcome, at: now() }));
      await rename(`${file}.${process.pid}`, file);
      await sweep();
    },
  };
}

/** A file that is not there, or that somebody broke, is no memory. */
async function readRemembered(file: string): Promise<z.infer<typeof Remembered> | undefined> {
  try {
    const read = Remembered.safeParse(JSON.parse(await readFile(file, "utf8")));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
