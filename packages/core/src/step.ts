import type { Effect } from "./effect.ts";

/**
 * What an event does to a state.
 * `stale`: late or repeated, to be ignored. `illegal`: a defect of the sender, to be loud about.
 */
export type Step<State> =
  | { outcome: "moved"; state: State; effects: readonly Effect[] }
  | { outcome: "stale"; because: string }
  | { outcome: "illegal"; because: string };

export function moved<State>(state: State, ...effects: Effect[]): Step<State> {
  return { outcome: "moved", state, effects };
}

export function stale<State>(because: string): Step<State> {
  return { outcome: "stale", because };
}

export function illegal<State>(because: string): Step<State> {
  return { outcome: "illegal", because };
}
