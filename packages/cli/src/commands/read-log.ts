import { setTimeout as delay } from "node:timers/promises";
import { errorCode } from "@dispatch/core";
import type { LogView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { type DaemonClient, taskPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { catchInterruption } from "../interruption.ts";
import { resolveTask } from "../resolve-task.ts";
import type { Terminal } from "../terminal.ts";

export interface LogInput {
  task: string;
  follow: boolean;
  verify: boolean;
  attempt: number | undefined;
  round: number | undefined;
  json: boolean;
}

const pollMs = 250;
const patiencePauseMs = 1000;

/** `dispatch logs TASK [-f]`: what the agent (or the verify command) wrote, and with -f what it writes. */
export async function readLog(context: CommandContext, input: LogInput): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const { id } = await resolveTask(client, input.task);
  if (input.json) {
    terminal.json(await readWhole(client, id, input));
    return exitCodes.ok;
  }
  const interruption = catchInterruption();
  try {
    const patient = input.follow ? patientReader(terminal, interruption.signal) : readPiece;
    for await (const piece of readPieces(patient, client, id, input, interruption.signal)) {
      if (piece.first) terminal.note([terminal.paint.faint(`── ${piece.view.attempt}, round ${piece.view.round}, ${piece.view.file} ──`)]);
      terminal.raw(piece.view.text);
    }
    return interruption.signal.aborted ? exitCodes.interrupted : exitCodes.ok;
  } finally {
    interruption.release();
  }
}

/** One round's log from its beginning; while following, the rounds and attempts after it as well. */
async function* readPieces(
  read: typeof readPiece,
  client: DaemonClient,
  task: string,
  input: LogInput,
  signal: AbortSignal,
): AsyncGenerator<{ view: LogView; first: boolean }> {
  let shown = await read(client, task, input, 0);
  yield { view: shown, first: true };
  while (!signal.aborted) {
    const next = await read(client, task, pinned(input, shown), shown.next);
    if (next.next > shown.next) {
      shown = next;
      yield { view: shown, first: false };
      continue;
    }
    if (!input.follow) return;
    const latest = input.round === undefined ? await read(client, task, input, shown.next) : next;
    if (latest.attempt !== shown.attempt || latest.round !== shown.round) {
      shown = await read(client, task, pinned(input, latest), 0);
      yield { view: shown, first: true };
    } else if (!next.live) return;
    else await delay(pollMs, undefined, { signal }).catch(ignoreAbort);
  }
}

/** Reads on when the node, or the daemon, is out of reach for a while: the session goes on, and so does its log. */
function patientReader({ note }: Pick<Terminal, "note">, signal: AbortSignal): typeof readPiece {
  let last: LogView | undefined;
  let away = false;
  return async (client, task, which, from) => {
    for (;;) {
      try {
        last = await readPiece(client, task, which, from);
        if (away) note(["reached again"]);
        away = false;
        return last;
      } catch (error) {
        const code = errorCode(error);
        if (last === undefined || (code !== "NODE_UNREACHABLE" && code !== "DAEMON_UNREACHABLE")) throw error;
        if (!away) note([code === "NODE_UNREACHABLE" ? "the node is out of reach; waiting for it" : "the daemon does not answer; waiting for it"]);
        away = true;
        if (signal.aborted) return last;
        await delay(patiencePauseMs, undefined, { signal }).catch(ignoreAbort);
      }
    }
  };
}

async function readWhole(client: DaemonClient, task: string, input: LogInput): Promise<LogView> {
  let whole = await readPiece(client, task, input, 0);
  for (;;) {
    const next = await readPiece(client, task, pinned(input, whole), whole.next);
    if (next.next <= whole.next) return { ...whole, live: next.live };
    whole = { ...next, text: whole.text + next.text };
  }
}

function readPiece(client: DaemonClient, task: string, which: Pick<LogInput, "verify" | "attempt" | "round">, from: number): Promise<LogView> {
  const query = new URLSearchParams({ file: which.verify ? "verify" : "agent", from: String(from) });
  if (which.attempt !== undefined) query.set("attempt", String(which.attempt));
  if (which.round !== undefined) query.set("round", String(which.round));
  return client.get<LogView>(taskPath(task, `/log?${query}`));
}

/** The same log as the one that is shown, also when a newer round has begun. */
function pinned(input: LogInput, shown: LogView): Pick<LogInput, "verify" | "attempt" | "round"> {
  return { verify: input.verify, attempt: Number(shown.attempt.slice(shown.attempt.lastIndexOf("--") + 2)), round: shown.round };
}

function ignoreAbort(error: Error): void {
  if (error.name !== "AbortError") throw error;
}
