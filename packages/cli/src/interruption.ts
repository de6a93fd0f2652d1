const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Interruption {
  /** Aborted at the first Ctrl-C (or SIGTERM, SIGHUP); a second one ends the process as usual. */
  readonly signal: AbortSignal;
  release(): void;
}

/** Lets a command that watches end in order. What it watches is not touched. */
export function catchInterruption(): Interruption {
  const controller = new AbortController();
  const release = () => {
    for (const name of signals) process.off(name, interrupt);
  };
  const interrupt = () => {
    release();
    controller.abort();
  };
  for (const name of signals) process.on(name, interrupt);
  return { signal: controller.signal, release };
}
