import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { FactoryError, isFactoryError } from "@dispatch/core";
import type { PutSpecRequest, PutSpecView, SpecView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { type DaemonClient, taskPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { tellPut } from "../render/spec-lines.ts";
import { resolveTask } from "../resolve-task.ts";

/** `dispatch spec edit TASK`: a copy in the editor, then back with the revision it was opened at. */
export async function editSpec(context: CommandContext, input: { task: string; json: boolean }): Promise<number> {
  const { terminal, editor } = context;
  if (editor === undefined) {
    throw new FactoryError("USAGE", "no editor is named", {
      fault: "user",
      hint: `set EDITOR, for example EDITOR=vi; or dispatch spec show ${input.task} > FILE, edit it, and dispatch spec put`,
    });
  }
  const client = await clientOf(context);
  const { id } = await resolveTask(client, input.task);
  const spec = await client.get<SpecView>(taskPath(id, "/spec"));
  const folder = await mkdtemp(join(tmpdir(), "dispatch-spec-"));
  const copy = join(folder, basename(spec.path));
  await writeFile(copy, spec.text, { mode: 0o600 });
  const put = await keeping(copy, async () => {
    await runEditor(editor, copy);
    return putBack(client, spec, await readFile(copy, "utf8"));
  });
  await rm(folder, { recursive: true, force: true });
  if (input.json) terminal.json(put);
  else tellPut(put, terminal);
  return exitCodes.ok;
}

async function putBack(client: DaemonClient, { task, revision, digest, text }: SpecView, edited: string): Promise<PutSpecView> {
  if (edited === text) return { task, revision, digest, changed: [], problems: [] };
  return client.put<PutSpecView>(taskPath(task, "/spec"), { text: edited, baseRevision: revision } satisfies PutSpecRequest);
}

/** What was typed is never lost: when it cannot be put back the failure says where it lies. */
async function keeping<T>(copy: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    const { code, message, fault, retry, hint, facts } = error;
    throw new FactoryError(code, message, {
      fault,
      retry,
      hint: `your text is kept in ${copy}${hint === undefined ? "" : `; ${hint}`}`,
      facts: { ...facts, copy },
      cause: error,
    });
  }
}

/** Runs the editor on this terminal, as git does: its command line may hold arguments. */
function runEditor(editor: string, file: string): Promise<void> {
  const ignore = () => {};
  process.on("SIGINT", ignore);
  return new Promise<void>((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", `${editor} "$1"`, "editor", file], { stdio: "inherit" });
    const failed = (how: string, cause?: Error): void =>
      reject(
        new FactoryError("TOOL_MISSING", `the editor ${editor} ${how}`, {
          fault: "user",
          hint: "see EDITOR and VISUAL",
          ...(cause === undefined ? {} : { cause }),
        }),
      );
    child.once("error", (error) => failed(`could not be started: ${error.message}`, error));
    child.once("exit", (code) => (code === 0 ? resolve() : failed(`ended with ${code ?? "a signal"}`)));
  }).finally(() => process.off("SIGINT", ignore));
}
