import type { DaemonClient } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { catchInterruption } from "../interruption.ts";
import { settledLines } from "../render/settled.ts";
import type { Terminal } from "../terminal.ts";
import type { FollowParts } from "./follow-parts.ts";

/**
 * Shows a project at work until nothing can move any more without the lead; 0 when nothing is parked then, else 1.
 * Ctrl-C ends the showing alone.
 */
export async function followProject(terminal: Terminal, client: DaemonClient, project: string): Promise<number> {
  const interruption = catchInterruption();
  try {
    const parts: FollowParts = { terminal, client, project, signal: interruption.signal };
    const end = terminal.live
      ? await (await import("./follow-live.ts")).followLive(parts, process.stdout)
      : await (await import("./follow-plainly.ts")).followPlainly(parts);
    if (end === undefined) {
      terminal.note(["", "no longer following; all tasks go on", `  try: dispatch start ${project} --follow, or dispatch status`]);
      return exitCodes.interrupted;
    }
    const { lines, parked } = settledLines(end.settled, end.project);
    terminal.out(terminal.live ? ["", ...lines] : lines);
    return parked ? exitCodes.failed : exitCodes.ok;
  } finally {
    interruption.release();
  }
}
