export interface LayeredTask {
  id: string;
  dependsOn: readonly string[];
}

/** `count` tasks in layers of `width`; each waits for two of the layer before, so that every layer but the last is waited for. */
export function layeredPlan(count: number, width: number, prefix: string): LayeredTask[] {
  const name = (n: number): string => `${prefix}${String(n).padStart(4, "0")}`;
  return Array.from({ length: count }, (_, n) => {
    const before = Math.floor(n / width) * width - width;
    const column = n % width;
    return { id: name(n), dependsOn: before < 0 ? [] : [name(before + column), name(before + ((column + 1) % width))] };
  });
}
