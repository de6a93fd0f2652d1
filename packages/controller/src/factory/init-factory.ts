import { existsSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, join, resolve } from "node:path";
import { FactoryError } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import { exampleSpec, writeSpecTemplate } from "@dispatch/spec";

/** Makes a folder a factory. What exists already is kept as it is; doing it twice changes nothing. */
export async function initFactory(dir: string): Promise<{ created: string[]; kept: string[] }> {
  const root = resolve(dir);
  if (existsSync(root) && !statSync(root).isDirectory()) {
    throw new FactoryError("USAGE", `${root} is a file, not a folder`, { fault: "user", hint: "name a folder, new or existing: dispatch init DIR" });
  }
  const created: string[] = [];
  const kept: string[] = [];
  for (const folder of [factoryPaths.directions, factoryPaths.pendingSpecs, factoryPaths.prompts, `${factoryPaths.specs}/examples`]) {
    const path = join(root, folder);
    (existsSync(path) ? kept : created).push(`${folder}/`);
    await mkdir(path, { recursive: true });
  }
  for (const [file, text] of Object.entries(initialFiles())) {
    const path = join(root, file);
    if (existsSync(path)) {
      kept.push(file);
      continue;
    }
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: "wx" });
    created.push(file);
  }
  return { created, kept };
}

function initialFiles(): Record<string, string> {
  return {
    [factoryPaths.config]: configText,
    [factoryPaths.nodes]: `${JSON.stringify({ nodes: [{ name: "local", transport: "local", slots: Math.max(1, Math.min(8, cpus().length)) }] }, null, 2)}\n`,
    [`${factoryPaths.directions}/README.md`]: "One file a day, `YYYY-MM-DD.md`; one wish a line.\n",
    [`${factoryPaths.prompts}/README.md`]: "Prompt templates of the planning roles, one Markdown file each.\n",
    [`${factoryPaths.specs}/examples/${exampleSpec.id}.md`]: writeSpecTemplate(exampleSpec),
    ".gitignore": `${factoryPaths.state}/\n`,
  };
}

const configText = `# What this factory works on, and with which agents.
version: 1

# dispatch project add NAME --repo PATH_OR_URL --branch main --verify "CMD" writes here.
projects: {}

# An executor is a command that gets a prompt. {prompt} and {promptFile} are replaced; no shell is involved.
executors: {}
#  my-agent:
#    command: ["my-agent", "--headless", "{promptFile}"]
#    prompt: file          # argument | file | stdin
#    timeout_s: 3600       # wall time of one round
`;
