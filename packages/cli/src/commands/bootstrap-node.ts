import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { FactoryError } from "@dispatch/core";
import { type CommandContext, factoryOf } from "../command-context.ts";
import { confirmHostKey } from "../confirm-host-key.ts";
import { exitCodes } from "../exit-codes.ts";
import { catchInterruption } from "../interruption.ts";

export interface BootstrapNodeInput {
  target: string;
  slots: number;
  name?: string;
  mode: string;
  agents: readonly string[];
  labels: readonly string[];
  transport?: "auto" | "ssh2" | "openssh";
  workDir?: string;
  nodeVersion?: string;
  nodeMirror?: string;
  /** Names of variables. */
  keys: readonly string[];
  /** NAME=FILE */
  keyFiles: readonly string[];
  fingerprint?: string;
  yes: boolean;
  json: boolean;
}

/** `dispatch node bootstrap SSH_TARGET`: progress on stderr, the result on stdout. */
export async function bootstrapNode(context: CommandContext, input: BootstrapNodeInput): Promise<number> {
  const { terminal, cwd } = context;
  const factory = await factoryOf(context);
  const { target, slots, name, mode, agents, labels, transport, workDir, nodeVersion, nodeMirror, fingerprint, yes } = input;
  const keys = await gatherKeys(input, cwd);
  const controller = await import("@dispatch/controller");
  const interruption = catchInterruption();
  const began = Date.now();
  try {
    const outcome = await controller.bootstrapNode(factory, {
      ...{ target, slots, name, mode, agents, labels, transport, workDir, nodeVersion, nodeMirror, keys },
      key: { fingerprint, yes, confirm: confirmHostKey(target, context) },
      say: (line) => terminal.note([terminal.paint.faint(line)]),
      signal: interruption.signal,
    });
    if (outcome.outcome === "interrupted") {
      terminal.note([`not waiting any longer; run the same command again, and ${outcome.name} goes on from there`]);
      return exitCodes.interrupted;
    }
    if (input.json) terminal.json({ ...outcome, seconds: (Date.now() - began) / 1000 });
    else terminal.out(readyLines(outcome, Math.round((Date.now() - began) / 1000), context));
    return exitCodes.ok;
  } finally {
    interruption.release();
  }
}

function readyLines({ name, registered }: { name: string; registered: "added" | "kept" }, seconds: number, { terminal }: CommandContext): string[] {
  const what = registered === "added" ? `is a node, added to nodes.json` : `is a node, and was in nodes.json already`;
  return [`${terminal.paint.good("ready")} ${name} ${what} (${seconds} s)`, `  try: dispatch node doctor ${name}`];
}

/** Keys by their names; only what was named is looked at. */
async function gatherKeys({ keys, keyFiles }: BootstrapNodeInput, cwd: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of keys) {
    const value = process.env[name];
    if (value === undefined || value === "") throw noKey(`the environment has no ${name}`, `set ${name}, or use --key-file ${name}=FILE`);
    found.set(name, value);
  }
  for (const named of keyFiles) {
    const [, name, file] = /^([A-Z][A-Z0-9_]*)=(.+)$/.exec(named) ?? [];
    if (name === undefined || file === undefined) throw noKey("--key-file takes NAME=FILE", "for example --key-file ZAI_API_KEY=./zai.key");
    const path = resolve(cwd, file);
    const text = await readFile(path, "utf8").catch((cause: unknown) => {
      throw noKey(`the key file ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, "see that it is there");
    });
    found.set(name, text.split(/\r?\n/)[0] ?? "");
  }
  return found;
}

function noKey(message: string, hint: string): FactoryError {
  return new FactoryError("USAGE", message, { fault: "user", hint });
}
