import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { FactoryError } from "@dispatch/core";
import type { PutSpecRequest, PutSpecView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { taskPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { tellPut } from "../render/spec-lines.ts";
import { resolveTask } from "../resolve-task.ts";

export interface PutSpecInput {
  task: string;
  file: string;
  baseRevision: number;
  json: boolean;
}

/** `dispatch spec put TASK --file F --base-revision N` */
export async function putSpec(context: CommandContext, input: PutSpecInput): Promise<number> {
  const { terminal, cwd } = context;
  const text = await readText(resolve(cwd, input.file), input.file);
  const client = await clientOf(context);
  const { id } = await resolveTask(client, input.task);
  const put = await client.put<PutSpecView>(taskPath(id, "/spec"), { text, baseRevision: input.baseRevision } satisfies PutSpecRequest);
  if (input.json) terminal.json(put);
  else tellPut(put, terminal);
  return exitCodes.ok;
}

async function readText(path: string, named: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const because = cause instanceof Error ? cause.message : String(cause);
    throw new FactoryError("NOT_FOUND", `${named} cannot be read: ${because}`, { fault: "user", hint: "name the file with the new text", cause });
  }
}
