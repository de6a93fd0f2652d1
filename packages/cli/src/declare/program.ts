import { Command } from "commander";
import { declareFactoryCommands } from "./factory-commands.ts";
import { declareGate } from "./gate-command.ts";
import { declareNodeCommands } from "./node-commands.ts";
import { examples, type Perform } from "./perform.ts";
import { declareProjectCommands } from "./project-commands.ts";
import { declareServiceCommands } from "./service-commands.ts";
import { declareSimulate } from "./simulate-command.ts";
import { declareSpecCommands } from "./spec-commands.ts";
import { declareTaskCommands } from "./task-commands.ts";

const exitCodeText = "\n\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 no daemon answers, 4 direction rejected.";

/** The whole command line. Nothing that a command needs is loaded before it is called. */
export function declareProgram(version: string, perform: Perform): Command {
  const program = new Command("dispatch");
  program
    .description("A code factory: specs in, verified code merged on main, a report out.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help of a command")
    .option("--factory <dir>", "the factory folder; else DISPATCH_FACTORY, else the nearest folder with dispatch.yaml")
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      "after",
      examples("init", 'project add shop --repo ../shop --verify "npm test"', "start shop --follow", "why S03", "report shop") + exitCodeText,
    )
    .showSuggestionAfterError(true);
  program.commandsGroup("The factory:");
  declareFactoryCommands(program, perform);
  declareServiceCommands(program, perform);
  program.commandsGroup("Any repository:");
  declareGate(program, perform);
  program.commandsGroup("Projects:");
  declareProjectCommands(program, perform);
  program.commandsGroup("Nodes:");
  declareNodeCommands(program, perform);
  program.commandsGroup("Tasks:");
  declareTaskCommands(program, perform);
  declareSpecCommands(program, perform);
  program.commandsGroup("The program itself:");
  declareSimulate(program, perform);
  return program;
}
