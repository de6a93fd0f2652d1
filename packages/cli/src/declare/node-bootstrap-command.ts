import { type Command, Option } from "commander";
import { examples, type JsonOption, jsonFlag, jsonText, type Perform } from "./perform.ts";
import { wholeNumber } from "./project-commands.ts";

interface BootstrapOptions extends JsonOption {
  slots: number;
  name?: string;
  mode: string;
  agents?: string;
  label?: string[];
  transport?: "auto" | "ssh2" | "openssh";
  workDir?: string;
  nodeVersion?: string;
  nodeMirror?: string;
  key?: string[];
  keyFile?: string[];
  fingerprint?: string;
  yes?: boolean;
}

const text = `Makes a bare machine a node: has its host key accepted, installs git, tmux, Python 3, Node.js and the agents of the mode there
(bootstrap/bootstrap.sh, as root or with sudo without a password), checks it and adds it to nodes.json. Ctrl-C and run it again:
it goes on. No key is put there unless --key or --key-file says so; without one its agents need a login of their own.`;

const several = (value: string, all: string[] = []): string[] => [...all, value];

/** `dispatch node bootstrap` */
export function declareNodeBootstrap(node: Command, perform: Perform): void {
  node
    .command("bootstrap")
    .summary("make a bare machine a node, in one go")
    .description(text)
    .argument("<ssh-target>", "user@host, user@host:port, or a name from your SSH configuration")
    .requiredOption("--slots <n>", "how many agents may run there at once", wholeNumber)
    .option("--name <name>", "the node's name; default the first word of the host")
    .addOption(
      new Option("--mode <mode>", "which agents").choices(["claude", "codex", "opencode", "hybrid", "glm", "minimax", "none"]).default("none"),
    )
    .option("--agents <list>", "these in place of the mode's, such as codex@1.2.3,opencode")
    .option("--label <label>", "what specs may ask for (repeatable)", several)
    .addOption(new Option("--transport <kind>", "how it is reached").choices(["auto", "ssh2", "openssh"]))
    .option("--work-dir <dir>", "folder of the node's files; default ~/.dispatch")
    .option("--node-version <version>", "the Node.js to unpack where the system offers none that is new enough")
    .option("--node-mirror <url>", "where from, laid out as https://nodejs.org/dist")
    .option("--key <name>", "keep this variable of the environment there as a key (repeatable)", several)
    .option("--key-file <name=file>", "the same from the first line of a file of this machine (repeatable)", several)
    .option("--fingerprint <fingerprint>", "the machine's host key, as ssh-keygen -lf shows it there")
    .option("--yes", "accept the host key that is shown")
    .option(jsonFlag, jsonText)
    .addHelpText(
      "after",
      examples("node bootstrap root@10.0.0.7 --slots 8 --mode codex --name gpu1", "node bootstrap gpu1 --slots 8 --fingerprint SHA256:…"),
    )
    .action((target: string, options: BootstrapOptions) =>
      perform(options.json, async (context) => {
        const { key = [], keyFile = [], label = [], agents = "", json = false, yes = false, ...rest } = options;
        const list = agents.split(",").filter((agent) => agent !== "");
        const input = { target, ...rest, agents: list, labels: label, keys: key, keyFiles: keyFile, yes, json };
        return (await import("../commands/bootstrap-node.ts")).bootstrapNode(context, input);
      }),
    );
}
