import { type Command, InvalidArgumentError, Option } from "commander";
import { examples, type JsonOption, jsonFlag, jsonText, type Perform } from "./perform.ts";

/** Commands about projects at work and what they bring. */
export function declareProjectCommands(program: Command, perform: Perform): void {
  declareStart(program, perform);
  declarePlacing(program, perform);
  declareResults(program, perform);
  declareEvents(program, perform);
  declareAudit(program, perform);
}

function declareStart(program: Command, perform: Perform): void {
  program
    .command("plan")
    .summary("how a project would go, before you start it")
    .description(
      "A dry run from the fed specs and those not fed yet: waves, critical path, sessions at once, expected finish, paths that most work waits for, and what can never start. Needs no daemon and changes nothing. Exit code 1 when something can never start.",
    )
    .argument("<project>")
    .option("--slots <n>", "as if the nodes had so many slots", slotCount)
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("plan shop", "plan shop --slots 32", "plan shop --json"))
    .action((project: string, { slots, json = false }: { slots?: number } & JsonOption) =>
      perform(json, async (context) => (await import("../commands/plan-project.ts")).planProject(context, { project, slots, json })),
    );
  program
    .command("start")
    .summary("put a project to work")
    .description("Feeds a project and lets its tasks be placed. Starts a daemon in the background when none runs.")
    .argument("<project>")
    .option("--follow", "show progress until nothing goes on without you; Ctrl-C leaves the tasks running")
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("start shop", "start shop --follow"))
    .action((project: string, { follow = false, json = false }: { follow?: boolean } & JsonOption) =>
      perform(json, async (context) => (await import("../commands/start-project.ts")).startProject(context, { project, follow, json })),
    );
  program
    .command("status")
    .summary("how everything stands")
    .description("Projects, slots and tasks as they stand now.")
    .argument("[project]")
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("status", "status shop --json"))
    .action((project: string | undefined, { json }: JsonOption) =>
      perform(json, async (context) => (await import("../commands/show-status.ts")).showStatus(context, { project, json: json ?? false })),
    );
}

function declarePlacing(program: Command, perform: Perform): void {
  const texts = {
    pause: ["start nothing new", "Starts no new attempts of a project, or of all. What runs goes on."],
    resume: ["go on after a pause", "Lets tasks of a project, or of all, be placed again, and lifts a freeze of its landing."],
  } as const;
  for (const act of ["pause", "resume"] as const) {
    const [summary, description] = texts[act];
    program
      .command(act)
      .summary(summary)
      .description(description)
      .argument("[project]", "all projects when none is named")
      .option(jsonFlag, jsonText)
      .addHelpText("after", examples(act, `${act} shop`))
      .action((project: string | undefined, { json }: JsonOption) =>
        perform(json, async (context) =>
          (await import("../commands/place-projects.ts")).placeProjects(context, { act, project, json: json ?? false }),
        ),
      );
  }
}

function declareResults(program: Command, perform: Perform): void {
  program
    .command("collect")
    .summary("land what is done, publish main")
    .description("Takes in what others pushed, lands everything landable, publishes main to the repository by fast-forward, and waits for it.")
    .argument("<project>")
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("collect shop"))
    .action((project: string, { json }: JsonOption) =>
      perform(json, async (context) => (await import("../commands/collect-project.ts")).collectProject(context, { project, json: json ?? false })),
    );
  program
    .command("report")
    .summary("what was done, what waits for you")
    .description("Tasks by state, rounds, durations, use of slots, findings, and what waits for the lead and why.")
    .argument("<project>")
    .addOption(new Option("--md", "as Markdown").conflicts("json"))
    .option(jsonFlag, jsonText)
    .option("-o, --output <file>", "write it to a file")
    .addHelpText("after", examples("report shop", "report shop --md -o reports/shop.md"))
    .action((project: string, { md, json, output }: { md?: boolean; output?: string } & JsonOption) =>
      perform(json, async (context) => {
        const format = json === true ? "json" : md === true ? "md" : "terminal";
        return (await import("../commands/report-project.ts")).reportProject(context, { project, format, output });
      }),
    );
}

function declareEvents(program: Command, perform: Perform): void {
  program
    .command("events")
    .summary("what happened, in order")
    .description("The factory's log of facts, one per line.")
    .option("--after <seq>", "only those after this one", wholeNumber, 0)
    .option("-f, --follow", "go on as they come")
    .option(jsonFlag, "one JSON object per line")
    .addHelpText("after", examples("events --after 120", "events -f --json"))
    .action(({ after, follow = false, json = false }: { after: number; follow?: boolean } & JsonOption) =>
      perform(json, async (context) => (await import("../commands/list-events.ts")).listEvents(context, { after, follow, json })),
    );
}

function declareAudit(program: Command, perform: Perform): void {
  program
    .command("audit")
    .summary("prove that nothing was lost")
    .description(
      "Compares the ledger with the hubs: every merged task is on main, every commit of main had a green run on exactly its tree or came from origin, everything that attempts left is held by refs, and no object is missing. Needs no daemon and disturbs none. Exit code 1 when something is violated.",
    )
    .argument("[project]", "all projects when none is named")
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("audit", "audit shop --json"))
    .action((project: string | undefined, { json }: JsonOption) =>
      perform(json, async (context) => (await import("../commands/audit-factory.ts")).auditFactory(context, { project, json: json ?? false })),
    );
}

function slotCount(text: string): number {
  const count = wholeNumber(text);
  if (count < 1 || count > 100_000) throw new InvalidArgumentError("It must be between 1 and 100000.");
  return count;
}

/** A count from the command line. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}
