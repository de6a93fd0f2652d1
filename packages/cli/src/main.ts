#!/usr/bin/env node
import { fileURLToPath } from "node:url";
import { version } from "@dispatch/protocol";
import { type Command, CommanderError } from "commander";
import type { CommandContext } from "./command-context.ts";
import type { Perform } from "./declare/perform.ts";
import { declareProgram } from "./declare/program.ts";
import { exitCodes } from "./exit-codes.ts";

const mainFile = fileURLToPath(import.meta.url);
const jsonAsked = process.argv.includes("--json");

/** A reader that has seen enough (`| head`) is no failure. A full disk is one, but what the process does goes on. */
function onBrokenOutput(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(exitCodes.ok);
  if (error.code !== "ENOSPC" && error.code !== "EDQUOT") throw error;
  process.once("exit", () => {
    if (process.exitCode === exitCodes.ok) process.exitCode = exitCodes.failed;
  });
}

async function openContext(factory: string | undefined): Promise<CommandContext> {
  const { openTerminal } = await import("./terminal.ts");
  const fromEnvironment = process.env["DISPATCH_FACTORY"];
  return {
    cwd: process.cwd(),
    namedFactory: factory ?? (fromEnvironment === "" ? undefined : fromEnvironment),
    mainFile,
    editor: [process.env["VISUAL"], process.env["EDITOR"]].find((command) => command !== undefined && command.trim() !== ""),
    terminal: openTerminal(process.stdout, process.stderr, process.env),
  };
}

/** Lets a wrong command line be told like every other failure: by `error:` and `try:`, or as JSON. */
function tellUsage(program: Command): void {
  const quiet = { outputError: () => {} };
  for (const command of [program, ...program.commands, ...program.commands.flatMap((group) => group.commands)])
    command.exitOverride().configureOutput(quiet);
}

async function run(): Promise<void> {
  const perform: Perform = async (json, act) => {
    const context = await openContext(program.opts<{ factory?: string }>().factory);
    try {
      process.exitCode = await act(context);
    } catch (error) {
      const { tellFailure } = await import("./tell-failure.ts");
      process.exitCode = tellFailure(error, context.terminal, json ?? false);
    }
  };
  const program = declareProgram(version, perform);
  tellUsage(program);
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (error.exitCode === 0) return;
    const { terminal } = await openContext(undefined);
    const { tellUsageError } = await import("./tell-failure.ts");
    tellUsageError(error, terminal, jsonAsked);
  }
}

process.stdout.on("error", onBrokenOutput);
process.stderr.on("error", onBrokenOutput);
await run();
