/** Asks again and again until there is an answer other than undefined or false; fails at the deadline with what was waited for. */
export async function eventually<T>(what: string, ask: () => T | Promise<T>, deadlineMs = 30_000): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const asked = performance.now();
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    const now = performance.now();
    if (now > deadline) throw new Error(`waited in vain for ${what}`);
    // Asking may cost more than what is waited for, such as a look at all processes.
    await new Promise((resolve) => setTimeout(resolve, Math.max(20, 4 * (now - asked))));
  }
}

/** Works through a list with at most `limit` at once. Everything is done, also after a failure; then all failures are thrown together. */
export async function inParallel<T>(items: readonly T[], limit: number, act: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const failures: unknown[] = [];
  async function work(): Promise<void> {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      await act(item).catch((error: unknown) => failures.push(error));
    }
  }
  await Promise.all(Array.from({ length: limit }, work));
  if (failures.length > 0) {
    throw new AggregateError(
      failures,
      failures.map((failure) => (failure instanceof Error ? (failure.stack ?? failure.message) : String(failure))).join("\n\n"),
    );
  }
}
