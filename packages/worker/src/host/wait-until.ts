import { type FSWatcher, watch } from "node:fs";

/** Waits until `found` gives something: asked at every change in the folder and four times a second. Undefined: time is up. */
export async function waitUntil<T>(folder: string, found: () => T | undefined, timeoutMs: number): Promise<T | undefined> {
  const already = found();
  if (already !== undefined) return already;
  return await new Promise((resolve, reject) => {
    let watcher: FSWatcher | undefined;
    const release = (): void => {
      clearInterval(interval);
      clearTimeout(timer);
      watcher?.close();
    };
    const look = (): void => {
      try {
        const value = found();
        if (value === undefined) return;
        release();
        resolve(value);
      } catch (error) {
        release();
        reject(error);
      }
    };
    const interval = setInterval(look, 250);
    const timer = setTimeout(() => {
      release();
      resolve(undefined);
    }, timeoutMs);
    watcher = watchSafely(folder, look);
    look();
  });
}

/** Watches where the system has room for a watcher; elsewhere the slow look must do. */
export function watchSafely(path: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, onChange);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
