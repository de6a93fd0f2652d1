import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FactoryError } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";

/**
 * The absolute path of the factory: the named folder, or the nearest one from `cwd` upwards that holds dispatch.yaml.
 * Fails with FACTORY_MISSING.
 */
export async function findFactory(named: string | undefined, cwd: string): Promise<string> {
  const found = await lookForFactory(named, cwd);
  if (found !== undefined) return found;
  const where = named === undefined ? `${cwd} or a folder above it` : resolve(cwd, named);
  throw new FactoryError("FACTORY_MISSING", `there is no ${factoryPaths.config} in ${where}`, {
    fault: "user",
    hint: named === undefined ? "dispatch init makes a factory here; --factory DIR names one elsewhere" : `dispatch init ${named}`,
  });
}

/** As findFactory, but undefined when there is none and none was named. */
export async function lookForFactory(named: string | undefined, cwd: string): Promise<string | undefined> {
  if (named !== undefined) {
    const folder = resolve(cwd, named);
    return (await holdsFactory(folder)) ? folder : undefined;
  }
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    if (await holdsFactory(folder)) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

async function holdsFactory(folder: string): Promise<boolean> {
  try {
    return (await stat(join(folder, factoryPaths.config))).isFile();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return false;
    throw error;
  }
}
