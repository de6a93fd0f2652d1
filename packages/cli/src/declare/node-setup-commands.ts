import { type Command, InvalidArgumentError, Option } from "commander";
import { declareNodeBootstrap } from "./node-bootstrap-command.ts";
import { examples, type JsonOption, jsonFlag, jsonText, type Perform } from "./perform.ts";
import { wholeNumber } from "./project-commands.ts";

const nodeText = "a name from nodes.json; dispatch node list shows them";

/** The commands of `node` that add, equip, check and remove machines. */
export function declareNodeSetup(node: Command, perform: Perform): void {
  declareAdd(node, perform);
  declareNodeBootstrap(node, perform);
  declareRemove(node, perform);
  declareDoctor(node, perform);
  declareExec(node, perform);
}

interface AddOptions extends JsonOption {
  ssh?: string;
  slots?: number;
  transport?: "auto" | "ssh2" | "openssh" | "local";
  label: string[];
  mode?: string;
  workDir?: string;
  fingerprint?: string;
  yes?: boolean;
}

function declareAdd(node: Command, perform: Perform): void {
  node
    .command("add")
    .summary("register a machine")
    .description(
      "Asks a machine for its host key and has you accept it, makes sure that it has what tasks need, puts the worker there, greets it, and only then writes nodes.json. A running daemon takes it up by itself.",
    )
    .argument("<name>", "a name for it, or the node-info.json that bootstrap.sh wrote (- reads it from standard input)")
    .option("--ssh <target>", "user@host, user@host:port, or a name from your SSH configuration; else the node's name is one")
    .option("--slots <n>", "how many agents may run at once; else as many as it has cores, at most 8", wholeNumber)
    .addOption(new Option("--transport <kind>", "how it is reached; local: it is this machine").choices(["auto", "ssh2", "openssh", "local"]))
    .option("--label <label>", "what specs may ask for; may be repeated", (label: string, all: string[]) => [...all, label], [] as string[])
    .option("--mode <mode>", "what its agents work with, such as hybrid, glm or codex")
    .option("--work-dir <dir>", "folder for its repositories, worktrees and attempts; else ~/.dispatch")
    .option("--fingerprint <fingerprint>", "the host key you know, as ssh-keygen -lf shows it; any other is refused")
    .option("--yes", "accept the host key that is shown")
    .option(jsonFlag, jsonText)
    .addHelpText(
      "after",
      examples(
        "node add gpu-1 --ssh deploy@gpu-1.lan --slots 8",
        "node add node-info.json --ssh deploy@gpu-1.lan",
        "node add gpu-1 --fingerprint SHA256:…",
      ),
    )
    .action((what: string, { label, yes = false, json = false, ...options }: AddOptions) =>
      perform(json, async (context) => {
        const { ssh, slots, transport, mode, workDir, fingerprint } = options;
        const { addNode } = await import("../commands/add-node.ts");
        return addNode(context, { what, ssh, slots, transport, labels: label, mode, workDir, fingerprint, yes, json });
      }),
    );
}

function declareRemove(node: Command, perform: Perform): void {
  node
    .command("remove")
    .summary("take a machine out")
    .description("Takes a machine out of nodes.json. Refused while sessions run there or work of theirs was not fetched yet.")
    .argument("<node>", nodeText)
    .option("--drain", "give it no new tasks, wait until nothing is left there, then take it out")
    .addOption(new Option("--abandon", "it is gone for good: give up what was never fetched from it").conflicts("drain"))
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("node remove gpu-1", "node remove gpu-1 --drain", "node remove gpu-1 --abandon"))
    .action((name: string, { drain = false, abandon = false, json = false }: { drain?: boolean; abandon?: boolean } & JsonOption) =>
      perform(json, async (context) => (await import("../commands/remove-node.ts")).removeNode(context, { node: name, drain, abandon, json })),
    );
}

function declareDoctor(node: Command, perform: Perform): void {
  node
    .command("doctor")
    .summary("check everything a task needs there")
    .description(
      "Checks machines, all when none is named: way, host key, login, work folder, disk, clock, Node.js, git, tmux, worker, git relay, channels, limits and the programs of the executors; with the remedy beside each failure. Needs no daemon. Exit code 1 when something fails.",
    )
    .argument("[nodes...]", nodeText)
    .option("--timeout <seconds>", "how long one check may take", seconds, 30)
    .option(jsonFlag, jsonText)
    .addHelpText("after", examples("node doctor", "node doctor gpu-1 gpu-2", "node doctor --json"))
    .action((nodes: string[], { timeout, json = false }: { timeout: number } & JsonOption) =>
      perform(json, async (context) => (await import("../commands/doctor-node.ts")).doctorNodes(context, { nodes, timeoutSeconds: timeout, json })),
    );
}

function declareExec(node: Command, perform: Perform): void {
  node
    .command("exec")
    .summary("run a command there")
    .description(
      "Runs a command on a machine over a connection of its own: without a shell, with standard input if it is piped, and with its exit code (124 when it took too long; then everything it started is ended). Needs neither a daemon nor Node.js there.",
    )
    .argument("<node>", nodeText)
    .argument("<command...>", "after --: program and arguments, as they are to arrive")
    .option("--timeout <seconds>", "how long it may take", seconds, 30)
    .addHelpText("after", examples("node exec gpu-1 -- nvidia-smi -L", "node exec gpu-1 --timeout 600 -- sh -c 'cd src && make'"))
    .action((name: string, command: string[], { timeout }: { timeout: number }) =>
      perform(false, async (context) =>
        (await import("../commands/exec-node.ts")).execOnNode(context, { node: name, command, timeoutSeconds: timeout }),
      ),
    );
}

function seconds(text: string): number {
  const value = wholeNumber(text);
  if (value < 1 || value > 1_000_000) throw new InvalidArgumentError("It must be a number of seconds, 1 or more.");
  return value;
}
