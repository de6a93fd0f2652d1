import { type CommandContext, factoryOf } from "../command-context.ts";
import type { Failure } from "../render/error-lines.ts";
import { asFailure } from "../tell-failure.ts";

/** `dispatch up`: the daemon in this terminal, until Ctrl-C or `dispatch down`. */
export async function runDaemon(context: CommandContext): Promise<number> {
  const factory = await factoryOf(context);
  const controller = await import("@dispatch/controller");
  try {
    return await controller.runDaemon(factory, { say: (line) => context.terminal.out([line]) });
  } catch (error) {
    await tellStarter(asFailure(error));
    throw error;
  }
}

/** `dispatch start` gives the daemon a channel, so that it can fail with the same words. */
function tellStarter(failure: Failure): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(failure, undefined, {}, () => resolve());
  });
}
