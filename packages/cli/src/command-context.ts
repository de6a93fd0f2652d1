import { createDaemonClient, type DaemonClient } from "./daemon-client.ts";
import { findFactory } from "./find-factory.ts";
import type { Terminal } from "./terminal.ts";

/** What every command gets. */
export interface CommandContext {
  /** Folder the process was started in; paths of the command line are relative to it. */
  readonly cwd: string;
  /** The factory that --factory or DISPATCH_FACTORY names. */
  readonly namedFactory: string | undefined;
  /** The file that was started, for starting it again as a daemon. */
  readonly mainFile: string;
  /** The command line of the person's editor, as VISUAL or EDITOR says. */
  readonly editor: string | undefined;
  readonly terminal: Terminal;
}

export function factoryOf(context: CommandContext): Promise<string> {
  return findFactory(context.namedFactory, context.cwd);
}

export async function clientOf(context: CommandContext): Promise<DaemonClient> {
  return createDaemonClient(await factoryOf(context));
}
