import { FactoryError } from "@dispatch/core";

/** What bootstrap.sh is to do on a machine. */
export interface BootstrapOrder {
  name: string;
  slots: number;
  mode: string;
  /** In place of the mode's own. */
  agents: readonly string[];
  labels: readonly string[];
  workDir: string | undefined;
  nodeVersion: string | undefined;
  nodeMirror: string | undefined;
  /** Keys to be kept there; empty: none is put there. */
  keys: ReadonlyMap<string, string>;
}

/** The script's arguments, which hold no key. */
export function bootstrapArguments(order: BootstrapOrder): string[] {
  const options: [string, string | undefined][] = [
    ["--name", order.name],
    ["--slots", String(order.slots)],
    ["--mode", order.mode],
    ["--agents", order.agents.length === 0 ? undefined : order.agents.join(",")],
    ...order.labels.map((label): [string, string] => ["--label", label]),
    ["--work-dir", order.workDir],
    ["--node-version", order.nodeVersion],
    ["--node-mirror", order.nodeMirror],
    ["--keys", order.keys.size === 0 ? undefined : "node"],
  ];
  return options.flatMap(([option, value]) => (value === undefined ? [] : [`${option}=${value}`]));
}

/** What `sh` reads: the keys as plain assignments, which no program that it starts can see, and the script as it is. */
export function bootstrapInput(script: string, { keys }: Pick<BootstrapOrder, "keys">): string {
  return [...keys].map(([name, value]) => `${assignment(name, value)}\n`).join("") + script;
}

function assignment(name: string, value: string): string {
  if (/^[A-Z][A-Z0-9_]*$/.test(name) && /^[\x21-\x7e]+$/.test(value) && !/['\\]/.test(value)) return `${name}='${value}'`;
  throw new FactoryError("USAGE", `${name} holds what is no key: blanks, quotes, backslashes, or nothing`, {
    fault: "user",
    hint: "see what the variable or the first line of the file holds",
  });
}
