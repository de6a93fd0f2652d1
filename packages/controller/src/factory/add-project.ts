import { existsSync, statSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FactoryError, projectIdPattern } from "@dispatch/core";
import { createRepositories } from "@dispatch/git";
import { factoryPaths } from "@dispatch/protocol";
import { isMap, parseDocument } from "yaml";
import { classifySystemError } from "../classify-system-error.ts";
import { loadFactory } from "../config/load-factory.ts";
import { configInvalid } from "../config/problem.ts";
import { readConfig } from "../config/read-config.ts";
import { Factory } from "../config/schema.ts";
import { isUrl } from "../config/settings.ts";

export interface NewProject {
  name: string;
  /** Path (relative to the current directory) or URL. */
  repo: string;
  branch: string;
  verify: readonly string[];
  landing: "continuous" | "on-collect";
  executor?: string;
}

/** Registers a repository in dispatch.yaml, keeping its comments. The file changes only when the result is right. */
export async function addProject(factory: string, input: NewProject): Promise<{ project: string; repo: string; warnings: string[] }> {
  const { dir, factory: current } = await loadFactory(factory);
  if (!projectIdPattern.test(input.name)) {
    throw new FactoryError("USAGE", `"${input.name}" is not a project name`, {
      fault: "user",
      hint: `use lower-case letters, digits and single dashes, for example ${suggestName(input.name)}`,
    });
  }
  if (current.projects[input.name] !== undefined) {
    throw new FactoryError("USAGE", `project ${input.name} is registered already`, {
      fault: "user",
      hint: `edit it in ${join(dir, factoryPaths.config)}, or choose another name`,
    });
  }
  const repo = isUrl(input.repo) ? input.repo : existingFolder(input.repo);
  await createRepositories({ hubDir: join(dir, factoryPaths.hubs) }).checkOrigin({ id: input.name, repo, branch: input.branch });
  const path = join(dir, factoryPaths.config);
  const document = parseDocument(await readFile(path, "utf8"));
  const entry = {
    repo,
    branch: input.branch,
    ...(input.verify.length === 0 ? {} : { verify: input.verify.length === 1 ? input.verify[0] : [...input.verify] }),
    landing: input.landing,
    ...(input.executor === undefined ? {} : { executor: input.executor }),
  };
  if (!isMap(document.get("projects"))) document.set("projects", document.createNode({}));
  const projects = document.get("projects");
  if (isMap(projects)) projects.flow = false;
  document.setIn(["projects", input.name], document.createNode(entry));
  const text = document.toString();
  const checked = readConfig(Factory, factoryPaths.config, text);
  if ("problems" in checked) throw configInvalid(checked.problems);
  if (input.executor !== undefined && checked.value.executors[input.executor] === undefined) {
    throw new FactoryError("EXECUTOR_UNKNOWN", `executor "${input.executor}" is not configured`, {
      fault: "user",
      hint: `add it under executors in ${factoryPaths.config} first; known: ${Object.keys(checked.value.executors).join(", ") || "none"}`,
    });
  }
  await replaceFile(path, text);
  return {
    project: input.name,
    repo,
    warnings: input.verify.length === 0 ? [`no verify command: put one into ${input.name}'s .dispatch.yaml, or specs must carry their own`] : [],
  };
}

/** All of the new text, or the file as it was. */
async function replaceFile(path: string, text: string): Promise<void> {
  try {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  } catch (error) {
    await rm(`${path}.new`, { force: true });
    throw classifySystemError(error);
  }
}

function existingFolder(repo: string): string {
  const path = resolve(repo);
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    throw new FactoryError("REPOSITORY_INVALID", `${path} is not a folder`, {
      fault: "user",
      hint: "name an existing git repository by path, or a URL such as https://…/repo.git",
    });
  }
  return path;
}

function suggestName(name: string): string {
  const cleaned = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[-0-9]+|-+$/g, "");
  return cleaned === "" ? "my-project" : cleaned;
}
