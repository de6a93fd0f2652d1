import type { StoredEvent } from "@dispatch/core";
import type { SignalsView } from "@dispatch/protocol";
import { noSignals, type ScalingSample, type SignalState, type Snapshot, sampleOf, signalWindowMs } from "@dispatch/scheduler";
import { composeSignals, type SignalsInput } from "./views/compose-signals.ts";

/** Events read again at the start to fill the window. */
const readBack = 5000;

export interface SignalKeeper {
  /** The signals of now. Each judgement is the next one's memory: after a restart all of them begin as off. */
  judge(snapshot: Snapshot, now: number, explain?: SignalsInput["explain"]): SignalsView;
}

/** Keeps the countable facts of the window. `readEvents` gives events after a position, at most 1000. */
export function keepSignals(
  lastSeq: number,
  readEvents: (after: number) => readonly StoredEvent[],
  subscribe: (listener: (events: readonly StoredEvent[]) => void) => unknown,
): SignalKeeper {
  let samples: ScalingSample[] = [];
  let state: SignalState = noSignals;
  const take = (events: readonly StoredEvent[]): void => {
    for (const event of events) {
      const sample = sampleOf(event);
      if (sample !== undefined) samples.push(sample);
    }
  };
  for (let after = Math.max(0, lastSeq - readBack); ; ) {
    const events = readEvents(after);
    const last = events.at(-1);
    if (last === undefined) break;
    take(events);
    after = last.seq;
  }
  subscribe(take);
  return {
    judge(snapshot, now, explain) {
      samples = samples.filter((sample) => sample.at > now - signalWindowMs);
      const view = composeSignals({ snapshot, samples, before: state, ...(explain === undefined ? {} : { explain }) }, now);
      state = view.state;
      return view;
    },
  };
}
