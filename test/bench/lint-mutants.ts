import type { RuleId } from "@dispatch/spec";
import { parseAll, type SpecProject } from "./lint-projects.ts";

/** One wrong change of a good set of specs. */
export interface Mutant {
  /** What was changed, for the list of misses. */
  what: string;
  files: ReadonlyMap<string, string>;
}

export interface Operator {
  name: string;
  /** E when the table gives an error for it, W when it may be a warning. */
  level: "E" | "W";
  /** Rules any of which finds it. */
  rules: readonly RuleId[];
  mutate(project: SpecProject): Mutant[];
}

interface Spec {
  path: string;
  id: string;
  text: string;
  zh: boolean;
  dependsOn: readonly string[];
  after: readonly string[];
  modifies: readonly string[];
  creates: readonly string[];
}

function specsOf(project: SpecProject): Spec[] {
  return parseAll(project).flatMap(({ file, parsed }): Spec[] => {
    if (parsed.outcome !== "parsed") return [];
    const { id, dependsOn, after, modifies, creates } = parsed.spec;
    return [{ path: file, id, text: parsed.text, zh: parsed.document.lang === "zh", dependsOn, after, modifies, creates }];
  });
}

/** A front matter field with its lines replaced; without a value it is taken out. */
function withField(text: string, name: string, value: string | undefined): string {
  const end = text.indexOf("\n---", 3);
  const head = text.slice(0, end).replace(new RegExp(`\n${name}:[^\n]*(?:\n[ \t]+[^\n]*|\n-[^\n]*)*`), "");
  return `${head}${value === undefined ? "" : `\n${name}: ${value}`}${text.slice(end)}`;
}

function listed(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(", ")}]`;
}

/** Changes every spec by itself; what stays as it was is no mutant. */
function each(project: SpecProject, change: (spec: Spec, all: readonly Spec[]) => string | readonly string[]): Mutant[] {
  const all = specsOf(project);
  return all.flatMap((spec) => {
    const changed = change(spec, all);
    const texts = typeof changed === "string" ? [changed] : changed;
    return texts
      .filter((text) => text !== spec.text)
      .map((text, i) => ({
        what: `${project.name}/${spec.id}${texts.length > 1 ? ` (${i + 1})` : ""}`,
        files: new Map(project.files).set(spec.path, text),
      }));
  });
}

/** A section by one of its headings. */
const sectionOf = (headings: string) => new RegExp(`\n## (?:${headings})\n[\\s\\S]*?(?=\n## |$)`);
const doNot = sectionOf("Do not|不要做");
const goalText = /(\n## (?:Goal|目标)\n+)([\s\S]*?)(?=\n+## )/;
const criterion = /^- \[ \] .*$/gm;

function goalOf({ text }: Spec): string {
  return goalText.exec(text)?.[2] ?? "";
}

function isAncestor(of: Pick<Spec, "dependsOn">, id: string, all: readonly Spec[]): boolean {
  const parents = all.filter((other) => of.dependsOn.includes(other.id));
  return parents.some((parent) => parent.id === id || isAncestor(parent, id, all));
}

/** Also by `after`, which orders without handing anything over. */
function isEarlier(than: Spec, id: string, all: readonly Spec[]): boolean {
  const parents = all.filter((other) => [...than.dependsOn, ...than.after].includes(other.id));
  return parents.some((parent) => parent.id === id || isEarlier(parent, id, all));
}

function strangers(spec: Spec, all: readonly Spec[]): Spec[] {
  return all.filter((other) => other.id !== spec.id && !isEarlier(spec, other.id, all) && !isEarlier(other, spec.id, all));
}

/** Replaces one criterion after the other. */
function eachCriterion(text: string, change: (line: string) => string): string[] {
  return [...text.matchAll(criterion)].map((match) => text.slice(0, match.index) + change(match[0]) + text.slice(match.index + match[0].length));
}

function typo(path: string): string {
  return path.replace(/(\w)(\w)(\.\w+)?$/, "$2$1$3");
}

const locks: readonly Operator[] = [
  {
    name: "empty modifies",
    level: "E",
    rules: ["MOD001"],
    mutate: (project) => each(project, ({ text }) => withField(withField(text, "modifies", "[]"), "creates", "[]")),
  },
  {
    name: "typo in a path",
    level: "E",
    rules: ["MOD002"],
    mutate: (project) =>
      each(project, ({ text, modifies }) =>
        modifies
          .filter((path) => typo(path) !== path)
          .map((path) => withField(text, "modifies", listed(modifies.map((other) => (other === path ? typo(path) : other))))),
      ),
  },
  {
    name: "created file moved to modifies",
    level: "E",
    rules: ["MOD002"],
    mutate: (project) =>
      each(project, ({ text, modifies, creates }) =>
        creates.map((path) =>
          withField(withField(text, "modifies", listed([...modifies, path])), "creates", listed(creates.filter((other) => other !== path))),
        ),
      ),
  },
  {
    name: "glob made broad",
    level: "E",
    rules: ["MOD003"],
    mutate: (project) =>
      each(project, ({ text, modifies }) =>
        modifies.length === 0 ? text : ["**", "**/*"].map((glob) => withField(text, "modifies", listed([glob]))),
      ),
  },
  {
    name: "modifies of a sibling",
    level: "W",
    rules: ["MOD004"],
    mutate: (project) =>
      each(project, (spec, all) =>
        strangers(spec, all)
          .filter((other) => other.modifies.length > 0)
          .map((other) => withField(spec.text, "modifies", listed(other.modifies))),
      ),
  },
];

const edges: readonly Operator[] = [
  {
    name: "cycle",
    level: "E",
    rules: ["DEP001"],
    mutate: (project) =>
      each(project, (spec, all) =>
        all
          .filter((other) => isAncestor(other, spec.id, all))
          .map((other) => withField(spec.text, "depends_on", listed([...spec.dependsOn, other.id]))),
      ),
  },
  {
    name: "needed edge removed",
    level: "E",
    rules: ["DEP002", "MOD002", "VER003"],
    mutate: (project) =>
      each(project, ({ text, dependsOn }, all) =>
        dependsOn
          .map((id) => ({ id, left: dependsOn.filter((other) => other !== id) }))
          .filter(({ id, left }) => !isAncestor({ dependsOn: left }, id, all))
          .map(({ left }) => withField(text, "depends_on", listed(left))),
      ),
  },
  {
    name: "false edge added",
    level: "W",
    rules: ["DEP003"],
    mutate: (project) =>
      each(project, (spec, all) => strangers(spec, all).map((other) => withField(spec.text, "depends_on", listed([...spec.dependsOn, other.id])))),
  },
  {
    name: "task ids swapped",
    level: "E",
    rules: ["ID001"],
    mutate(project) {
      const all = specsOf(project);
      return all.flatMap((spec, i) => {
        const other = all[i + 1];
        if (other === undefined) return [];
        const files = new Map(project.files)
          .set(spec.path, withField(spec.text, "task_id", other.id))
          .set(other.path, withField(other.text, "task_id", spec.id));
        return [{ what: `${project.name}/${spec.id} and ${other.id}`, files }];
      });
    },
  },
  {
    name: "requirement removed",
    level: "E",
    rules: ["COV001"],
    mutate(project) {
      const all = specsOf(project);
      const requirements = project.facts.projects.flatMap(({ directions }) => directions ?? []).flatMap((direction) => direction.requirements);
      return requirements.map(({ id }) => ({
        what: `${project.name}/${id}`,
        files: new Map(
          all.map(({ path, text }) => [
            path,
            text.replace(/^requires: \[(.*)\]$/m, (_, ids: string) => `requires: ${listed(ids.split(/,\s*/).filter((each) => each !== id))}`),
          ]),
        ),
      }));
    },
  },
];

const checks: readonly Operator[] = [
  { name: "no verify", level: "E", rules: ["VER001"], mutate: (project) => each(project, ({ text }) => withField(text, "verify", undefined)) },
  {
    name: "verify is true",
    level: "E",
    rules: ["VER004"],
    mutate: (project) => each(project, ({ text }) => ["'true'", '":"', "npm test || true"].map((run) => withField(text, "verify", run))),
  },
  {
    name: "verify points at the test of a sibling",
    level: "E",
    rules: ["VER003"],
    mutate: (project) =>
      each(project, (spec, all) =>
        all
          .filter((other) => other.id !== spec.id && !isAncestor(spec, other.id, all))
          .flatMap((other) => other.creates.filter((path) => /test/.test(path)))
          .map((path) => withField(spec.text, "verify", `${/\.py$/.test(path) ? "pytest" : /\.go$/.test(path) ? "go vet" : "node --test"} ${path}`)),
      ).filter(({ files }) => !/verify: go vet/.test([...files.values()].join("\n"))),
  },
  {
    name: "failure criteria deleted",
    level: "W",
    rules: ["AC003"],
    mutate: (project) =>
      each(project, ({ id, text }) => {
        const failures = project.failureCriteria[id] ?? [];
        const lines = [...text.matchAll(criterion)].map(([line]) => line);
        return failures.length === 0 || failures.length === lines.length
          ? text
          : failures.reduce((left, n) => left.replace(`${lines[n - 1]}\n`, ""), text);
      }),
  },
  {
    name: "open in browser",
    level: "E",
    rules: ["VER005"],
    mutate: (project) =>
      each(project, ({ text, zh }) => {
        const ways = zh ? ["在浏览器中打开页面，目测无误", "人工确认"] : ["open in browser and look at it", "checked manually by the user"];
        return ways.map((way) => eachCriterion(text, (line) => line.replace(/: `.*$/, `: ${way}`))[0] ?? text);
      }),
  },
];

const words: readonly Operator[] = [
  { name: "no do-not list", level: "E", rules: ["SCOPE001"], mutate: (project) => each(project, ({ text }) => text.replace(doNot, "")) },
  {
    name: "a number becomes fast",
    level: "E",
    rules: ["AMB002"],
    mutate: (project) =>
      each(project, ({ text, zh }) =>
        eachCriterion(text, (line) => {
          const claim = line.slice(6, line.indexOf(": `"));
          const vague = claim.replace(/\d+(?:\.\d+)?(?:\s*(?:毫秒以内|毫秒|秒|条|本|ms|seconds))?/, zh ? "合理" : "fast");
          return vague === claim ? line : line.slice(0, 6) + vague + line.slice(line.indexOf(": `"));
        }),
      ),
  },
  {
    name: "... inserted",
    level: "E",
    rules: ["AMB001"],
    mutate: (project) => each(project, ({ text }) => eachCriterion(text, (line) => line.replace(/`([^` ]+) ([^`]*)`/, "`$1 ...`"))),
  },
  {
    name: "TBD inserted",
    level: "E",
    rules: ["AMB001"],
    mutate: (project) =>
      each(project, ({ text, zh }) =>
        (zh ? ["待定", "具体格式 TBD", "同上"] : ["TBD", "the format is to be decided", "same as above"]).map((open) =>
          text.replace(/(\n## (?:Constraints|约束)\n+)/, `$1- ${open}\n`),
        ),
      ),
  },
  {
    name: "two goals merged",
    level: "W",
    rules: ["SIZE001"],
    mutate: (project) =>
      each(project, (spec, all) =>
        strangers(spec, all)
          .slice(0, 1)
          .flatMap((other) => {
            const lower = goalOf(other).replace(/^\w/, (first) => first.toLowerCase());
            const joined = spec.zh ? [`，并且另外${goalOf(other)}`, `\n\n${goalOf(other)}`] : [` And also ${lower}`, `\n\n${goalOf(other)}`];
            return joined.map((more) =>
              spec.text.replace(goalText, (_, head: string, goal: string) => `${head}${goal.replace(/[.。]$/, "")}${more}`),
            );
          }),
      ),
  },
];

/** The twenty operators of the planning design. */
export const operators: readonly Operator[] = [
  ...checks.slice(0, 1),
  ...words.slice(0, 1),
  ...locks,
  ...edges,
  ...words.slice(1),
  ...checks.slice(1),
];
