import type { Command } from "commander";
import { declareNodeSetup } from "./node-setup-commands.ts";
import { examples, type JsonOption, jsonFlag, jsonText, type Perform } from "./perform.ts";

const nodeText = "a name from nodes.json; dispatch node list shows them";

/** The machines: what they are and what they are doing, and which of them take new tasks. */
export function declareNodeCommands(program: Command, perform: Perform): void {
  const node = program.command("node").description("the machines that run the agents");
  declareLooking(node, perform);
  declareClosing(node, perform);
  declareNodeSetup(node, perform);
}

function declareLooking(node: Command, perform: Perform): void {
  node
    .command("list")
    .summary("all machines as a live table")
    .description(
      "All machines: whether they can be reached and take tasks, slots, load, free memory and disk, and what runs there. On a terminal the table is redrawn as things change, until Ctrl-C.",
    )
    .option("--once", "print it once, also on a terminal")
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("node list", "node list --once", "node list --json"))
    .action(({ once = false, json = false }: { once?: boolean } & JsonOption) =>
      perform(json, async (context) => (await import("../commands/list-nodes.ts")).listNodes(context, { once, json })),
    );
  node
    .command("show")
    .summary("everything about one machine")
    .description("One machine: how it is reached, what it has and what is free, its agents, its sessions, and what waits there to be fetched.")
    .argument("<node>", nodeText)
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("node show gpu-1", "node show gpu-1 --json"))
    .action((name: string, { json = false }: JsonOption) =>
      perform(json, async (context) => (await import("../commands/show-node.ts")).showNode(context, { node: name, json })),
    );
}

function declareClosing(node: Command, perform: Perform): void {
  const texts = {
    cordon: ["give a machine no new tasks", "Places no new tasks on a machine. What runs there goes on."],
    uncordon: ["give a machine tasks again", "Lets a machine that was cordoned or drained take tasks again."],
  } as const;
  for (const act of ["cordon", "uncordon"] as const) {
    const [summary, description] = texts[act];
    node
      .command(act)
      .summary(summary)
      .description(description)
      .argument("<node>", nodeText)
      .option(jsonFlag, jsonText)
      .addHelpText("after", examples(`node ${act} gpu-1`))
      .action((name: string, { json = false }: JsonOption) =>
        perform(json, async (context) => (await import("../commands/cordon-node.ts")).cordonNode(context, { node: name, act, json })),
      );
  }
  node
    .command("drain")
    .summary("let a machine become empty")
    .description(
      "Places no new tasks on a machine, so that it becomes empty: sessions there end by themselves, and their work is brought in. Ctrl-C while waiting leaves it draining.",
    )
    .argument("<node>", nodeText)
    .option("--wait", "show what is left there until nothing is")
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("node drain gpu-1", "node drain gpu-1 --wait", "node uncordon gpu-1"))
    .action((name: string, { wait = false, json = false }: { wait?: boolean } & JsonOption) =>
      perform(json, async (context) => (await import("../commands/drain-node.ts")).drainNode(context, { node: name, wait, json })),
    );
}
