import { type CommandContext, factoryOf } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";
import { catchInterruption } from "../interruption.ts";

export interface ExecInput {
  node: string;
  command: readonly string[];
  timeoutSeconds: number;
}

/** `dispatch node exec NODE -- COMMAND`: its streams are ours, and its exit code too. */
export async function execOnNode(context: CommandContext, { node, command, timeoutSeconds }: ExecInput): Promise<number> {
  const factory = await factoryOf(context);
  const controller = await import("@dispatch/controller");
  const interruption = catchInterruption();
  const stdin = process.stdin.isTTY === true ? undefined : process.stdin;
  try {
    const { stdout, stderr } = process;
    const end = await controller.execOnNode(factory, node, { argv: command, timeoutSeconds, stdin, stdout, stderr, signal: interruption.signal });
    if (end.kind === "exited") return end.code;
    if (end.kind === "interrupted") return exitCodes.interrupted;
    context.terminal.note([`the command took longer than ${timeoutSeconds} s and was ended`, "  try: --timeout SECONDS"]);
    return exitCodes.timedOut;
  } finally {
    interruption.release();
    // An input that goes on would keep this process.
    stdin?.destroy();
  }
}
