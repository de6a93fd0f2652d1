import { isFactoryError } from "@dispatch/core";
import type { Look } from "./node-facts.ts";

/** Takes one look, for so long at most. Never rejects. */
export async function look<T>(limitMs: number, act: () => Promise<T>): Promise<Look<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Look<T>>((resolve) => {
    timer = setTimeout(() => resolve({ kind: "late", limitMs }), limitMs);
  });
  const taken = act().then((value): Look<T> => ({ kind: "seen", value }), failed);
  const first = await Promise.race([taken, late]);
  clearTimeout(timer);
  return first;
}

export function skipped(because: string): { kind: "skipped"; because: string } {
  return { kind: "skipped", because };
}

function failed(error: unknown): Extract<Look<never>, { kind: "failed" }> {
  // The node stands above its checks.
  if (isFactoryError(error))
    return { kind: "failed", because: error.message.replace(/^node [a-z0-9-]+: /, ""), hint: error.hint ?? null, facts: error.facts };
  return { kind: "failed", because: error instanceof Error ? error.message : String(error), hint: null, facts: {} };
}
