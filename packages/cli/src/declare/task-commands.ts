import { type Command, InvalidArgumentError, Option } from "commander";
import { examples, type JsonOption, jsonFlag, jsonText, type Perform, taskText } from "./perform.ts";
import { wholeNumber } from "./project-commands.ts";

/** Commands about one task. */
export function declareTaskCommands(program: Command, perform: Perform): void {
  declareLooking(program, perform);
  declareSession(program, perform);
  declareDeciding(program, perform);
  declareRevert(program, perform);
  declareRecover(program, perform);
}

function declareLooking(program: Command, perform: Perform): void {
  program
    .command("why")
    .summary("why a task is where it is")
    .description(
      "Why a task is where it is, down to the root of what it waits for, and what would move it. With --all: every unfinished task by its cause.",
    )
    .argument("[task]", taskText)
    .option("--all", "all unfinished tasks, one entry per cause, the biggest first")
    .option("--project <name>", "with --all: only of this project")
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("why S03", "why shop/S03-checkout --json", "why --all --project shop"))
    .action((task: string | undefined, { all = false, project, json = false }: { all?: boolean; project?: string } & JsonOption) =>
      perform(json, async (context) => (await import("../commands/explain-task.ts")).explainTask(context, { task, all, project, json })),
    );
  program
    .command("show")
    .summary("a task's attempts, findings and refs")
    .description("Everything about a task: its attempts and rounds, what was found, and the refs that hold its work.")
    .argument("<task>", taskText)
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("show S03"))
    .action((task: string, { json }: JsonOption) =>
      perform(json, async (context) => (await import("../commands/show-task.ts")).showTask(context, { task, json: json ?? false })),
    );
}

interface LogOptions extends JsonOption {
  follow?: boolean;
  verify?: boolean;
  attempt?: number;
  round?: number;
}

function declareSession(program: Command, perform: Perform): void {
  program
    .command("logs")
    .summary("what a task's agent wrote")
    .description("What the agent of a task wrote in its last round, or what the verify command wrote.")
    .argument("<task>", taskText)
    .option("-f, --follow", "go on as it is written, also in later rounds")
    .option("--verify", "the verify command's output")
    .option("--attempt <n>", "of this attempt", wholeNumber)
    .option("--round <n>", "of this round", wholeNumber)
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("logs S03 -f", "logs S03 --verify --attempt 1 --round 2"))
    .action((task: string, { follow = false, verify = false, attempt, round, json = false }: LogOptions) =>
      perform(json, async (context) => (await import("../commands/read-log.ts")).readLog(context, { task, follow, verify, attempt, round, json })),
    );
  program
    .command("attach")
    .summary("watch a session, type into it")
    .description("Shows the session of a running task in this terminal. Leave it with the keys Ctrl-b d; it goes on.")
    .argument("<task>", taskText)
    .option(jsonFlag, "print the command instead of running it")
    .addHelpText("after", examples("attach S03"))
    .action((task: string, { json }: JsonOption) =>
      perform(json, async (context) => (await import("../commands/attach-session.ts")).attachSession(context, { task, json: json ?? false })),
    );
}

function declareDeciding(program: Command, perform: Perform): void {
  program
    .command("retry")
    .summary("take a parked or cancelled task up again")
    .description("Takes a parked, cancelled or backing-off task up again with fresh attempts.")
    .argument("<task>", taskText)
    .option("--edited", "with its spec file as it is now")
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("retry S03", "retry S03 --edited"))
    .action((task: string, { edited = false, json = false }: { edited?: boolean } & JsonOption) =>
      perform(json, async (context) => (await import("../commands/retry-task.ts")).retryTask(context, { task, edited, json })),
    );
  program
    .command("cancel")
    .summary("give a task up")
    .description("Gives a task up. A session that runs is stopped, and its work is kept.")
    .argument("<task>", taskText)
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("cancel S03"))
    .action((task: string, { json }: JsonOption) =>
      perform(json, async (context) => (await import("../commands/cancel-task.ts")).cancelTask(context, { task, json: json ?? false })),
    );
}

interface RevertOptions extends JsonOption {
  project?: string;
  dryRun?: boolean;
}

function declareRevert(program: Command, perform: Perform): void {
  program
    .command("revert")
    .summary("take back what landed")
    .description(
      "Prepares the revert of a landing as a task of its own: git carries it out on a node, the gates and verify judge it, and it lands as every task does. A task takes back its own part of a landing, a commit of main everything that landed with it.",
    )
    .argument("<landing>", "a merged task, or a commit of main's first-parent line, which may be cut short")
    .option("--project <name>", "of which project a commit is; PROJECT/COMMIT says the same")
    .option("--dry-run", "print the spec and plan nothing")
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("revert S03", "revert shop/S03-checkout --dry-run", "revert shop/1a2b3c4d5"))
    .action((landing: string, { project, dryRun = false, json = false }: RevertOptions) =>
      perform(json, async (context) => (await import("../commands/revert-landing.ts")).revertLanding(context, { landing, project, dryRun, json })),
    );
}

interface RecoverOptions extends JsonOption {
  attempt?: number;
  to?: string;
  into?: string;
  patch?: boolean;
}

function declareRecover(program: Command, perform: Perform): void {
  program
    .command("recover")
    .summary("get back what attempts left")
    .description(
      "Lists the attempts of a task with what the hub holds of each and why it did not land; makes a branch of one, or prints it as a patch. Branches that exist, checkouts and worktrees are never touched. Needs no daemon, and without a readable ledger tells what the hub knows by itself.",
    )
    .argument("<task>", taskText)
    .option("--attempt <n>", "this attempt; alone, also the git commands that bring it back", attemptNumber)
    .option("--to <branch>", "make this branch in the project's repository")
    .option("--into <dir>", "make it in this clone instead")
    .addOption(new Option("--patch", "print the work as a patch from its base").conflicts(["to", "json"]))
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("recover S03", "recover S03 --attempt 2 --to rescue/S03", "recover S03 --attempt 2 --patch > S03.patch"))
    .action((task: string, { attempt, to, into, patch = false, json = false }: RecoverOptions) =>
      perform(json, async (context) => (await import("../commands/recover-task.ts")).recoverTask(context, { task, attempt, to, into, patch, json })),
    );
}

function attemptNumber(text: string): number {
  const n = wholeNumber(text);
  if (n < 1) throw new InvalidArgumentError("Attempts are numbered from 1.");
  return n;
}
