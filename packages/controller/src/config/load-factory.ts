import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FactoryError } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import { type ConfigProblem, configInvalid } from "./problem.ts";
import { readConfig } from "./read-config.ts";
import { Factory, Nodes } from "./schema.ts";

/** A factory folder as configured. */
export interface FactoryConfig {
  dir: string;
  factory: Factory;
  nodes: Nodes;
}

/** Reads dispatch.yaml and nodes.json. Throws CONFIG_INVALID with every problem, or FACTORY_MISSING. */
export async function loadFactory(dir: string): Promise<FactoryConfig> {
  const root = resolve(dir);
  if (!existsSync(join(root, factoryPaths.config))) {
    throw new FactoryError("FACTORY_MISSING", `${root} is no factory: it has no ${factoryPaths.config}`, {
      fault: "user",
      hint: "make one with dispatch init, or name one with --factory DIR",
    });
  }
  const factory = readConfig(Factory, factoryPaths.config, await readText(root, factoryPaths.config));
  const nodes = readConfig(Nodes, factoryPaths.nodes, await readText(root, factoryPaths.nodes));
  const problems: ConfigProblem[] = [...("problems" in factory ? factory.problems : []), ...("problems" in nodes ? nodes.problems : [])];
  if ("value" in factory) problems.push(...checkReferences(factory.value));
  if ("value" in nodes) problems.push(...checkNodes(nodes.value));
  if (problems.length > 0 || !("value" in factory) || !("value" in nodes)) throw configInvalid(problems);
  return { dir: root, factory: factory.value, nodes: nodes.value };
}

async function readText(root: string, file: string): Promise<string> {
  try {
    return await readFile(join(root, file), "utf8");
  } catch (error) {
    throw configInvalid([
      {
        file,
        path: "(file)",
        message: `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        hint: "dispatch init writes one that works",
      },
    ]);
  }
}

function checkReferences(factory: Factory): ConfigProblem[] {
  const known = Object.keys(factory.executors);
  return Object.entries(factory.projects).flatMap(([name, project]) => {
    if (project.executor === undefined || known.includes(project.executor)) return [];
    return [
      {
        file: factoryPaths.config,
        path: `projects.${name}.executor`,
        message: `names an executor that is not configured; got "${project.executor}"`,
        hint: known.length > 0 ? `one of: ${known.join(", ")}` : "add it under executors",
      },
    ];
  });
}

function checkNodes({ nodes }: Nodes): ConfigProblem[] {
  const seen = new Set<string>();
  return nodes.flatMap((node, i) => {
    const problems = checkReach(node, i);
    if (seen.has(node.name)) problems.push(nodeProblem(i, "name", `is used twice; got "${node.name}"`, "give every node a name of its own"));
    seen.add(node.name);
    return problems;
  });
}

function checkReach({ ssh_target, host_key, transport }: Nodes["nodes"][number], i: number): ConfigProblem[] {
  if (ssh_target !== undefined) {
    return transport === "local" ? [nodeProblem(i, "transport", "cannot be local for a node with ssh_target", "remove one of the two")] : [];
  }
  const problems: ConfigProblem[] = [];
  if (transport !== undefined && transport !== "local")
    problems.push(nodeProblem(i, "ssh_target", `is missing; transport is "${transport}"`, "add ssh_target"));
  if (host_key !== undefined) problems.push(nodeProblem(i, "host_key", "is of no use without ssh_target", "remove it, or add ssh_target"));
  return problems;
}

function nodeProblem(i: number, field: string, message: string, hint: string): ConfigProblem {
  return { file: factoryPaths.nodes, path: `nodes.${i}.${field}`, message, hint };
}
