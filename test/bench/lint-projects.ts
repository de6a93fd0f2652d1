import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  defaultProtectedPaths,
  exampleSpec,
  type LintFacts,
  lintSpecs,
  type ParsedFile,
  type Problem,
  type ProjectFacts,
  parseContract,
  parseSpec,
  readManifest,
  writeSpecTemplate,
} from "@dispatch/spec";

/** Spec files of one project by their path, and the repository they live in. */
export interface SpecProject {
  name: string;
  files: ReadonlyMap<string, string>;
  facts: LintFacts;
  /** Numbers of the criteria that are about a failure or an edge, said by hand, by spec id. */
  failureCriteria: Readonly<Record<string, readonly number[]>>;
}

interface RepositoryFile {
  files: readonly string[];
  texts: Readonly<Record<string, string>>;
  contracts: readonly string[];
  directions: readonly Omit<NonNullable<ProjectFacts["directions"]>[number], "questions">[];
  failureCriteria: Readonly<Record<string, readonly number[]>>;
}

const golden = join(import.meta.dirname, "..", "golden", "specs");

/** The specs of test/golden/specs/good, none of which has anything wrong with it. */
export function goodProjects(): SpecProject[] {
  const root = join(golden, "good");
  return readdirSync(root)
    .sort()
    .map((name) => readProject(name, join(root, name)));
}

function readProject(name: string, folder: string): SpecProject {
  const repository: RepositoryFile = JSON.parse(readFileSync(join(folder, "repository.json"), "utf8"));
  const specs = readdirSync(folder).filter((file) => file.endsWith(".md"));
  return {
    name,
    files: new Map(specs.sort().map((file) => [`specs/${name}/${file}`, readFileSync(join(folder, file), "utf8")])),
    facts: factsOf(name, repository),
    failureCriteria: repository.failureCriteria,
  };
}

function factsOf(id: string, { files, texts, contracts, directions }: Omit<RepositoryFile, "failureCriteria">): LintFacts {
  const project: ProjectFacts = {
    id,
    hasVerify: false,
    files,
    protectedPaths: defaultProtectedPaths,
    tasks: [],
    manifests: Object.entries(texts).flatMap(([file, text]) => readManifest(file, text) ?? []),
    contracts,
    contractFiles: contracts.map((file) => ({ file, ...parseContract(file, texts[file] ?? "") })),
    directions: directions.map((direction) => ({ ...direction, questions: null })),
  };
  return { projects: [project], executors: null };
}

/** The specs of the demo in the repository of the demo. */
export function demoProject(): SpecProject {
  const root = join(import.meta.dirname, "..", "fixtures", "posts-api");
  const folder = join(import.meta.dirname, "..", "demo", "specs");
  const files = execFileSync("find", [".", "-type", "f"], { cwd: root, encoding: "utf8" })
    .trim()
    .split("\n")
    .map((path) => path.slice(2));
  const texts = Object.fromEntries(["package.json", "SHARED_CONTEXT.md"].map((file) => [file, readFileSync(join(root, file), "utf8")]));
  return {
    name: "clawmarketing",
    files: new Map(readdirSync(folder).map((file) => [`specs/clawmarketing/${file}`, readFileSync(join(folder, file), "utf8")])),
    facts: factsOf("clawmarketing", { files, texts, contracts: ["SHARED_CONTEXT.md"], directions: [] }),
    failureCriteria: {},
  };
}

/** What `dispatch init` writes, in both languages. */
export function templateProjects(): SpecProject[] {
  return (["en", "zh"] as const).map((lang) => ({
    name: `template-${lang}`,
    files: new Map([[`specs/examples/${exampleSpec.id}.md`, writeSpecTemplate({ ...exampleSpec, lang })]]),
    facts: factsOf(exampleSpec.project, {
      files: ["backend/schemas/post.py", "pyproject.toml"],
      texts: { "pyproject.toml": '[project]\ndependencies = ["pydantic>=2"]\n' },
      contracts: [],
      directions: [],
    }),
    failureCriteria: {},
  }));
}

export function parseAll(project: Pick<SpecProject, "name" | "files">): ParsedFile[] {
  return [...project.files].map(([file, text]) => ({ file, parsed: parseSpec({ text, file }) }));
}

export function problemsOf(project: Pick<SpecProject, "name" | "files" | "facts">): Problem[] {
  return lintSpecs(parseAll(project), project.facts);
}

/** A spec by itself, in a repository that has one file, to see what the rules say of its words. */
export function problemsOfSample(file: string, files: readonly string[]): Problem[] {
  const text = readFileSync(join(golden, file), "utf8");
  return problemsOf({
    name: "clawmarketing",
    files: new Map([[file, text]]),
    facts: factsOf("clawmarketing", { files, texts: {}, contracts: [], directions: [] }),
  });
}

/** How often each rule speaks of the criteria and scenarios of a real plan of nine tasks, and of which tasks. */
export function planFindings(rule: Problem["id"]): { count: number; tasks: readonly string[] } {
  const folder = join(golden, "plan");
  const files = new Map(readdirSync(folder).map((file) => [`specs/inference/${file}`, readFileSync(join(folder, file), "utf8")]));
  const facts: LintFacts = { projects: [{ id: "inference", hasVerify: true, files: null, protectedPaths: [], tasks: [] }], executors: null };
  const found = problemsOf({ name: "inference", files, facts }).filter(({ id }) => id === rule);
  return { count: found.length, tasks: [...new Set(found.map(({ file }) => file.slice(file.lastIndexOf("/") + 1, file.lastIndexOf("/") + 5)))] };
}
