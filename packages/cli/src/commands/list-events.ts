import type { EventView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";
import { catchInterruption } from "../interruption.ts";
import { eventLine } from "../render/event-line.ts";
import type { Terminal } from "../terminal.ts";
import { watchEvents } from "../watch-events.ts";

/** `dispatch events [--after N] [-f]`: those that are stored, and with -f those that come. */
export async function listEvents(context: CommandContext, input: { after: number; follow: boolean; json: boolean }): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const { lastSeq } = await client.status();
  if (!input.follow && input.after >= lastSeq) return exitCodes.ok;
  const interruption = catchInterruption();
  const onReach = (reached: boolean) => terminal.note([reached ? "the daemon is back" : "the daemon does not answer; waiting for it"]);
  try {
    for await (const stored of watchEvents(client, input.after, { signal: interruption.signal, onReach })) {
      printEvent(terminal, stored, input.json);
      if (!input.follow && stored.seq >= lastSeq) return exitCodes.ok;
    }
    return exitCodes.interrupted;
  } finally {
    interruption.release();
  }
}

function printEvent(terminal: Terminal, stored: EventView, json: boolean): void {
  terminal.out([json ? JSON.stringify(stored) : eventLine(stored, terminal.view())]);
}
