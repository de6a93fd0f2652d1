import type { Command } from "commander";
import { examples, type JsonOption, jsonFlag, jsonText, type Perform, taskText } from "./perform.ts";
import { wholeNumber } from "./project-commands.ts";

/** Commands about the text of a task's spec and its revisions. */
export function declareSpecCommands(program: Command, perform: Perform): void {
  const spec = program
    .command("spec")
    .summary("a task's spec: show, compare, edit")
    .description("The spec of a task, its revisions, and edits of it.");
  declareReading(spec, perform);
  declareEditing(spec, perform);
}

function declareReading(spec: Command, perform: Perform): void {
  spec
    .command("show")
    .summary("the text, and who revised it when")
    .description("Prints a task's spec on stdout, and the history of its revisions on stderr.")
    .argument("<task>", taskText)
    .option("--revision <n>", "as it was at this revision", wholeNumber)
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("spec show S03", "spec show S03 --revision 1 > S03-before.md"))
    .action((task: string, { revision, json = false }: { revision?: number } & JsonOption) =>
      perform(json, async (context) => (await import("../commands/show-spec.ts")).showSpec(context, { task, revision, json })),
    );
  spec
    .command("diff")
    .summary("what changed between two revisions")
    .description("What changed between two revisions of a task's spec: by default between the newest and the one before.")
    .argument("<task>", taskText)
    .option("--from <n>", "the older revision", wholeNumber)
    .option("--to <n>", "the newer revision; else the newest", wholeNumber)
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("spec diff S03", "spec diff S03 --from 1 --to 3"))
    .action((task: string, { from, to, json = false }: { from?: number; to?: number } & JsonOption) =>
      perform(json, async (context) => (await import("../commands/diff-spec.ts")).diffSpec(context, { task, from, to, json })),
    );
}

const editText =
  "The text is checked as a feed checks it. A parked or cancelled task is taken up again with it. When somebody else revised the spec meanwhile nothing is overwritten.";

function declareEditing(spec: Command, perform: Perform): void {
  spec
    .command("edit")
    .summary("edit it in your editor")
    .description(`Opens a copy of a task's spec in $VISUAL or $EDITOR, and puts it back. ${editText}`)
    .argument("<task>", taskText)
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("spec edit S03"))
    .action((task: string, { json = false }: JsonOption) =>
      perform(json, async (context) => (await import("../commands/edit-spec.ts")).editSpec(context, { task, json })),
    );
  spec
    .command("put")
    .summary("replace it by a file's text")
    .description(`Replaces a task's spec by the text of a file. ${editText}`)
    .argument("<task>", taskText)
    .requiredOption("--file <file>", "the new text")
    .requiredOption("--base-revision <n>", "the revision that was edited, as dispatch spec show tells it", wholeNumber)
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("spec put S03 --file S03.md --base-revision 2"))
    .action((task: string, { file, baseRevision, json = false }: { file: string; baseRevision: number } & JsonOption) =>
      perform(json, async (context) => (await import("../commands/put-spec.ts")).putSpec(context, { task, file, baseRevision, json })),
    );
}
