import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { FactoryError } from "@dispatch/core";
import { findForge, forgeAddress, stripCredentials } from "@dispatch/git";
import { factoryPaths } from "@dispatch/protocol";
import { readNodes, readText } from "./load-nodes.ts";
import { type ConfigProblem, configInvalid } from "./problem.ts";
import { readConfig } from "./read-config.ts";
import { Factory, type Nodes } from "./schema.ts";

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
  const nodes = readNodes(await readText(root, factoryPaths.nodes));
  const problems: ConfigProblem[] = [...("problems" in factory ? factory.problems : []), ...("problems" in nodes ? nodes.problems : [])];
  if ("value" in factory) problems.push(...checkReferences(factory.value));
  if (problems.length > 0 || !("value" in factory) || !("value" in nodes)) throw configInvalid(problems);
  return { dir: root, factory: factory.value, nodes: nodes.value };
}

function checkReferences(factory: Factory): ConfigProblem[] {
  return [...checkExecutors(factory), ...checkPublishing(factory)];
}

/** A pull request needs a forge that has the repository, and a branch of its own. */
function checkPublishing(factory: Factory): ConfigProblem[] {
  return Object.entries(factory.projects).flatMap(([name, { publish, repo, branch, publish_branch, forge }]) => {
    if (publish !== "pull-request") return [];
    const problem = (key: string, message: string, hint: string): ConfigProblem[] => [
      { file: factoryPaths.config, path: `projects.${name}.${key}`, message, hint },
    ];
    if (forgeAddress(repo) === undefined) {
      const hint = "name the repository as GitHub or GitLab does, such as https://HOST/OWNER/NAME, or leave publish out";
      return problem("repo", `is no address at a forge, which pull-request needs; got "${stripCredentials(repo)}"`, hint);
    }
    if (forge === undefined && findForge(repo) === undefined)
      return problem("forge", "is needed: the host that repo names does not tell which program opens pull requests there", "gh or glab");
    if (publish_branch === branch)
      return problem("publish_branch", `is the branch that the pull request goes to; got "${branch}"`, "name another one, such as dispatch/main");
    return [];
  });
}

function checkExecutors(factory: Factory): ConfigProblem[] {
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
