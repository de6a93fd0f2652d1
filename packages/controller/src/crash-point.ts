import type { CrashPoint } from "@dispatch/engine";

/**
 * For crash tests: `DISPATCH_CRASH_AT=point` or `point#n` kills this process with SIGKILL
 * when it reaches the point for the first (or nth) time. Without the variable it does nothing.
 */
export function readCrashPoint(wish: string | undefined): CrashPoint {
  if (wish === undefined || wish === "") return () => {};
  const [point, count] = wish.split("#");
  let left = Number(count ?? "1");
  return (reached) => {
    if (reached !== point) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, "SIGKILL");
  };
}
