import { spawn } from "node:child_process";
import { FactoryError } from "@dispatch/core";
import type { AttachView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { taskPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { resolveTask } from "../resolve-task.ts";

/** `dispatch attach TASK`: shows the session in this terminal; leaving it does not end it. */
export async function attachSession(context: CommandContext, input: { task: string; json: boolean }): Promise<number> {
  const client = await clientOf(context);
  const { id } = await resolveTask(client, input.task);
  const { command } = await client.get<AttachView>(taskPath(id, "/attach"));
  if (input.json) {
    context.terminal.json({ command });
    return exitCodes.ok;
  }
  return showSession(command);
}

/** Runs a program on this terminal; Ctrl-C is its business alone. */
function showSession(command: readonly string[]): Promise<number> {
  const [program = "", ...args] = command;
  const ignore = () => {};
  process.on("SIGINT", ignore);
  return new Promise<number>((resolve, reject) => {
    // tmux refuses to show a session inside another one, also when that is of another server.
    const { TMUX: _, ...env } = process.env;
    const child = spawn(program, args, { stdio: "inherit", env });
    child.once("error", (cause) =>
      reject(
        new FactoryError("TOOL_MISSING", `${program} could not be started: ${cause.message}`, {
          fault: "dependency",
          hint: `install ${program}`,
          cause,
        }),
      ),
    );
    child.once("exit", (code) => resolve(code === 0 ? exitCodes.ok : exitCodes.failed));
  }).finally(() => process.off("SIGINT", ignore));
}
