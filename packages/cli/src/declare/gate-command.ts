import { type Command, Option } from "commander";
import { examples, type JsonOption, jsonFlag, type Perform } from "./perform.ts";

interface GateOptions extends JsonOption {
  repo?: string;
  base?: string;
  head: string;
  spec?: string;
  run?: boolean;
  format: "text" | "json" | "sarif";
}

const gateText = `Judges what one revision brings beyond another with the gates of a factory, in any git repository; no factory and no daemon is needed.
Policy and waivers come from .dispatch.yaml at the base, never from the change. Gates that could not judge are listed, with the reason.
Exit codes: 0 nothing blocks, 1 something blocks, 2 wrong usage, unknown revision or no repository, 130 after Ctrl-C.`;

/** The gates for people who judge changes elsewhere, such as in their own CI. */
export function declareGate(program: Command, perform: Perform): void {
  program
    .command("gate")
    .summary("judge a change between two revisions")
    .description(gateText)
    .option("--repo <dir>", "the repository; the one of this folder when none is named")
    .option("--base <rev>", "what the change is for; where head left origin's default branch (or main) when none is named")
    .option("--head <rev>", "the change", "HEAD")
    .option("--spec <file>", "the spec it was made for: scope, acceptance and evidence are judged too")
    .option("--run", "run the verify commands on a fresh checkout; done anyway where .dispatch.yaml at the base or the spec names some")
    .option("--no-run", "run no command: judge the diff alone")
    .addOption(new Option("--format <format>", "how findings are printed").choices(["text", "json", "sarif"]).default("text").conflicts(["json"]))
    .option(jsonFlag, "the same as --format json")
    .addHelpText(
      "after",
      examples(
        "gate",
        "gate --base origin/main --head my-branch --no-run",
        "gate --spec specs/S01-cart.md",
        "gate --base origin/main --format sarif > gates.sarif",
      ),
    )
    .action((options: GateOptions) => {
      const { repo, base, head, spec, run, json = false } = options;
      const format = json ? "json" : options.format;
      return perform(format !== "text", async (context) =>
        (await import("../commands/gate-change.ts")).gateChange(context, { repo, base, head, spec, run, format }),
      );
    });
}
