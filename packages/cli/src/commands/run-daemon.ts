import { type CommandContext, factoryOf } from "../command-context.ts";

/** `dispatch up`: the daemon in this terminal, until Ctrl-C or `dispatch down`. */
export async function runDaemon(context: CommandContext): Promise<number> {
  const factory = await factoryOf(context);
  const controller = await import("@dispatch/controller");
  return controller.runDaemon(factory, { say: (line) => context.terminal.out([line]) });
}
