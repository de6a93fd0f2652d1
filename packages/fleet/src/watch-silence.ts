import type { Clock } from "@dispatch/core";

export interface SilenceWatch {
  heard(): void;
  stop(): void;
}

const silenceMs = 30_000;
/** A timer that is so late says that this process stood still, and not that the other side was silent. */
const lateMs = 2000;
/** In which what was said meanwhile can be read. */
const graceMs = 10_000;

/** A host speaks every few seconds; `onSilence` is called once when it has not for half a minute, in which we were listening. */
export function watchSilence(clock: Clock, onSilence: () => void): SilenceWatch {
  let heardAt = clock.now();
  let cancel = (): void => {};
  const arm = (ms: number): void => {
    const due = clock.now() + ms;
    cancel = clock.after(ms, () => {
      const now = clock.now();
      const left = heardAt + silenceMs - now;
      if (left > 0) arm(left);
      else if (now - due > lateMs) arm(graceMs);
      else onSilence();
    });
  };
  arm(silenceMs);
  return {
    heard() {
      heardAt = clock.now();
    },
    stop: () => cancel(),
  };
}
