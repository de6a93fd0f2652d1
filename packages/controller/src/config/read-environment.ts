/** What the daemon takes from its environment. Nothing else of this room reads it. */
export function readEnvironment(): { crashAt: string | undefined } {
  return { crashAt: process.env["DISPATCH_CRASH_AT"] };
}
