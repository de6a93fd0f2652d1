import { type Command, Option } from "commander";
import { examples, type JsonOption, jsonFlag, jsonText, type Perform } from "./perform.ts";

/** Commands about the folder and its daemon. */
export function declareFactoryCommands(program: Command, perform: Perform): void {
  declareInit(program, perform);
  declareProject(program, perform);
  declareLint(program, perform);
  declareDaemon(program, perform);
}

function declareInit(program: Command, perform: Perform): void {
  program
    .command("init")
    .summary("make a folder a factory")
    .description("Makes a folder a factory: dispatch.yaml, nodes.json, folders for inputs, specs and prompts. What is there already is kept.")
    .argument("[dir]", "the folder; this one when none is named")
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("init", "init my-factory"))
    .action((dir: string | undefined, { json }: JsonOption) =>
      perform(json, async (context) => (await import("../commands/init-factory.ts")).initFactory(context, { dir, json: json ?? false })),
    );
}

interface AddOptions extends JsonOption {
  repo: string;
  branch: string;
  verify?: string[];
  landing: "continuous" | "on-collect";
  executor?: string;
}

function declareProject(program: Command, perform: Perform): void {
  const project = program.command("project").summary("register repositories, list them").description("The repositories this factory works on.");
  project
    .command("add")
    .summary("register a git repository")
    .description("Registers a git repository in dispatch.yaml.")
    .argument("<name>", "lower-case letters, digits and single dashes")
    .requiredOption("--repo <path-or-url>", "the repository; what lands is published to it")
    .option("--branch <name>", "the branch that is worked on", "main")
    .option("--verify <command>", "has to be green for a change to land (repeatable)", (value: string, all: string[] = []) => [...all, value])
    .addOption(new Option("--landing <when>", "when work lands").choices(["continuous", "on-collect"]).default("continuous"))
    .option("--executor <name>", "the agent of specs that name none")
    .option(jsonFlag, jsonText)
    .addHelpText(
      "after",
      examples(
        'project add shop --repo ../shop --verify "npm test"',
        "project add docs --repo https://example.org/docs.git --branch trunk --landing on-collect",
      ),
    )
    .action((name: string, options: AddOptions) =>
      perform(options.json, async (context) => {
        const { json = false, executor, verify = [], ...rest } = options;
        return (await import("../commands/add-project.ts")).addProject(context, { name, ...rest, verify, executor, json });
      }),
    );
  project
    .command("list")
    .summary("the registered repositories")
    .description("The registered repositories, and how far they are when a daemon runs.")
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("project list"))
    .action(({ json }: JsonOption) =>
      perform(json, async (context) => (await import("../commands/list-projects.ts")).listProjects(context, { json: json ?? false })),
    );
}

interface LintOptions extends JsonOption {
  project?: string;
  fix?: boolean;
  preflight?: boolean;
  strict?: boolean;
  rules?: boolean;
  format: "text" | "json" | "sarif";
}

const lintText = `Checks spec files, all of the factory's when none are named: as a feed does, against the repository, the ledger and the other specs.
Exit codes: 0 clean (or warnings alone), 1 errors, 2 warnings alone with --strict; 2 also for wrong usage, 130 after Ctrl-C.`;

function declareLint(program: Command, perform: Perform): void {
  program
    .command("lint")
    .summary("check spec files")
    .description(lintText)
    .argument("[paths...]", "files, or folders that hold them")
    .option("--project <name>", "the project of specs that do not name theirs")
    .option("--fix", "mend what cannot change a spec's meaning, and show each fix")
    .option("--preflight", "run the specs' own verify commands on main, in temporary folders: what passes there proves nothing")
    .option("--strict", "warnings count")
    .addOption(new Option("--format <format>", "how problems are printed").choices(["text", "json", "sarif"]).default("text").conflicts(["json"]))
    .option(jsonFlag, "the same as --format json")
    .option("--rules", "list the rules instead")
    .addHelpText(
      "after",
      examples(
        "lint",
        "lint specs/pending --project shop --fix",
        "lint specs/shop/S01-cart.md --strict --preflight",
        "lint --format sarif",
        "lint --rules",
      ),
    )
    .action((paths: string[], options: LintOptions) => {
      const { project, fix = false, preflight = false, strict = false, rules = false, json = false } = options;
      const format = json ? "json" : options.format;
      return perform(format !== "text", async (context) => {
        const { lintSpecs, listRules } = await import("../commands/lint-specs.ts");
        return rules ? listRules(context, format !== "text") : lintSpecs(context, { paths, project, fix, preflight, strict, format });
      });
    });
  program
    .command("feed")
    .summary("take specs in")
    .description("Takes verified specs from specs/pending and specs/PROJECT in as tasks. The same spec twice changes nothing.")
    .argument("<project>")
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("feed shop"))
    .action((project: string, { json }: JsonOption) =>
      perform(json, async (context) => (await import("../commands/feed-project.ts")).feedProject(context, { project, json: json ?? false })),
    );
}

function declareDaemon(program: Command, perform: Perform): void {
  program
    .command("up")
    .summary("run the daemon in this terminal")
    .description("Runs the daemon in this terminal. Ctrl-C ends it; sessions of agents go on and are taken over at the next start.")
    .addHelpText("after", examples("up"))
    .action(() => perform(false, async (context) => (await import("../commands/run-daemon.ts")).runDaemon(context)));
  program
    .command("down")
    .summary("end the daemon")
    .description("Ends the daemon. Sessions go on and are taken over at the next start, unless an option says otherwise.")
    .addOption(new Option("--drain", "start nothing new, end when all sessions have ended and landed").conflicts("stop"))
    .addOption(new Option("--stop", "stop all sessions, keep their work, place their tasks again at the next start"))
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("down", "down --drain"))
    .action(({ drain, stop, json }: { drain?: boolean; stop?: boolean } & JsonOption) =>
      perform(json, async (context) => {
        const mode = drain === true ? "drain" : stop === true ? "stop" : "leave";
        return (await import("../commands/end-daemon.ts")).endDaemon(context, { mode, json: json ?? false });
      }),
    );
}
