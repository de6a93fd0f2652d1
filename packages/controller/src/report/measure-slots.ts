/** A stretch of time in ms since the epoch. */
export interface Span {
  from: number;
  to: number;
}

export interface SlotUse {
  /** Most sessions at one moment. */
  maxParallel: number;
  /** Slot time used, over slot time that could have been used by the work that was there. 0 to 1; 1 when there was none. */
  utilisation: number;
}

/** Sweeps over sessions (slot held) and demand (work that could run or ran) to see how well the slots were used. */
export function measureSlots(sessions: readonly Span[], demand: readonly Span[], slots: number): SlotUse {
  const edges = [...edgesOf(sessions, "used"), ...edgesOf(demand, "wanted")].sort((a, b) => a.at - b.at || a.step - b.step);
  let used = 0;
  let wanted = 0;
  let maxParallel = 0;
  let usedTime = 0;
  let possibleTime = 0;
  let last = edges[0]?.at ?? 0;
  for (const edge of edges) {
    const passed = edge.at - last;
    usedTime += Math.min(used, slots) * passed;
    possibleTime += Math.min(Math.max(wanted, used), slots) * passed;
    last = edge.at;
    if (edge.kind === "used") used += edge.step;
    else wanted += edge.step;
    maxParallel = Math.max(maxParallel, used);
  }
  return { maxParallel, utilisation: possibleTime === 0 ? 1 : usedTime / possibleTime };
}

function edgesOf(spans: readonly Span[], kind: "used" | "wanted"): { at: number; step: 1 | -1; kind: "used" | "wanted" }[] {
  return spans
    .filter((span) => span.to > span.from)
    .flatMap((span) => [
      { at: span.from, step: 1 as const, kind },
      { at: span.to, step: -1 as const, kind },
    ]);
}
