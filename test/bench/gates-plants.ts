import type { GateId } from "@dispatch/core";
import type { CleanCommit } from "./gates-commits.ts";

/** A clean commit with one defect in it. */
export interface Planted {
  commit: CleanCommit;
  defect: string;
  gate: GateId;
  /** Where the finding has to be; undefined when it is about the change as a whole. */
  path: string | undefined;
}

interface Plant {
  defect: string;
  gate: GateId;
  /** The commit with the defect, and where; undefined where the commit has no place for it. */
  plant(commit: CleanCommit): { after: Record<string, string>; path: string | undefined; spec?: CleanCommit["spec"] } | undefined;
}

type Text = Record<string, string>;

const textOf = ({ after }: CleanCommit): Text => after as Text;
const sourceOf = ({ voice, name, after }: CleanCommit): string | undefined =>
  after[voice.source(name)] === undefined ? undefined : voice.source(name);
const testsOf = ({ voice, name, after }: CleanCommit): string | undefined =>
  after[voice.testPath(name)] === undefined ? undefined : voice.testPath(name);

/** The commit with one file's text changed; undefined when the file is not there or stays the same. */
function edit(commit: CleanCommit, path: string | undefined, change: (text: string) => string) {
  const text = path === undefined ? undefined : textOf(commit)[path];
  if (path === undefined || text === undefined) return undefined;
  const now = change(text);
  return now === text ? undefined : { after: { ...textOf(commit), [path]: now }, path };
}

/** Before the last closing line of a class, else at the end. */
function append(commit: CleanCommit, path: string | undefined, part: string) {
  return edit(commit, path, (text) =>
    commit.voice.language === "java" ? text.replace(/\}\s*$/, `\n${part.replace(/^(?=.)/gm, "    ")}\n}\n`) : `${text}\n\n${part}\n`,
  );
}

function add(commit: CleanCommit, path: string, text: string) {
  return { after: { ...textOf(commit), [path]: text }, path };
}

/** Lines of a test file from the last test's declaration on. */
const lastTest =
  /\n+(?:it\(|def test_|func Test|#\[test\]| {4}@(?:Test|Disabled|Parameterized))(?![\s\S]*\n(?:it[.(]|def test_|func Test|#\[test\]| {4}@(?:Test|Parameterized)))[\s\S]*$/;
const assertionLine = /\n[ \t]*(?:expect\(|assert |if got := .*\n.*\n[ \t]*\}|assert_eq!\(|assertEquals\().*/;

const token = ["glpat", "-Zk81mQp0xR7tLw3vNc5b"].join("");
const random = "Zk81mQp0xR7tLw3vNc5bYh2d";

export const plants: readonly Plant[] = [
  ...[0, 1, 2].map(
    (i): Plant => ({
      defect: ["a stub that fails", "a stub that does nothing", "a mark in a body"][i] ?? "",
      gate: "G02",
      plant: (commit) => append(commit, sourceOf(commit), commit.voice.stubs[i]?.("extraPart") ?? ""),
    }),
  ),
  {
    defect: "a comment that puts work off",
    gate: "G02",
    plant: (commit) => append(commit, sourceOf(commit), commit.voice.comment("TODO: handle negative amounts")),
  },
  {
    defect: "a path of another task",
    gate: "G03",
    plant: (commit) => ({ ...add(commit, "other/owned.txt", "x\n"), spec: { ...commit.spec, forbids: ["other/**"] } }),
  },
  { defect: "nothing at all", gate: "G04", plant: (commit) => ({ after: commit.before as Text, path: undefined }) },
  { defect: "a test left out", gate: "G05", plant: (commit) => edit(commit, testsOf(commit), commit.voice.skip) },
  { defect: "a test removed", gate: "G05", plant: (commit) => lostTest(commit) },
  { defect: "a test file removed", gate: "G05", plant: (commit) => removedTests(commit) },
  { defect: "an assertion removed", gate: "G05", plant: (commit) => lostAssertion(commit) },
  {
    defect: "an assertion that always holds",
    gate: "G05",
    plant: (commit) => edit(commit, testsOf(commit), (text) => text.replace(assertionLine, `\n${commit.voice.tautology}`)),
  },
  {
    defect: "a check turned off without a reason",
    gate: "G05",
    plant: (commit) =>
      edit(commit, sourceOf(commit), (text) =>
        commit.voice.language === "java" ? text.replace(/\}\s*$/, `\n${commit.voice.suppressed}\n}\n`) : `${text}\n\n${commit.voice.suppressed}\n`,
      ),
  },
  { defect: "the pipeline", gate: "G06", plant: (commit) => add(commit, ".github/workflows/ci.yml", "on: push\njobs: {}\n") },
  { defect: "the factory's policy", gate: "G06", plant: (commit) => add(commit, ".dispatch.yaml", "verify: 'true'\n") },
  {
    defect: "a lockfile alone",
    gate: "G06",
    plant: (commit) =>
      /dependency|new package/.test(commit.shape) ? undefined : edit(commit, commit.voice.lockfile, (text) => `${text}other 1.0.0\n`),
  },
  {
    defect: "a merge left open",
    gate: "G07",
    plant: (commit) => edit(commit, sourceOf(commit), (text) => `<<<<<<< HEAD\n${text}=======\n>>>>>>> theirs\n`),
  },
  { defect: "a token in the source", gate: "G08", plant: (commit) => append(commit, sourceOf(commit), commit.voice.secret(random)) },
  {
    defect: "a token of a known form in the documentation",
    gate: "G08",
    plant: (commit) => edit(commit, "README.md", (text) => `${text}\ncurl -H "Authorization: Bearer ${token}" https://git.acme.io\n`),
  },
  { defect: "a binary", gate: "G09", plant: (commit) => add(commit, "bin/tool", "\u007fELF\0\0") },
  { defect: "a tree of others", gate: "G09", plant: (commit) => add(commit, "node_modules/left/index.js", "module.exports = 1;\n") },
  { defect: "a large file", gate: "G09", plant: (commit) => add(commit, "data/rows.csv", "1,2,3,4,5,6,7,8\n".repeat(2_000)) },
  { defect: "the contract", gate: "G14", plant: (commit) => add(commit, "SHARED.md", "## POST /totals\n\nMakes one.\n") },
];

function lostTest(commit: CleanCommit) {
  const path = testsOf(commit);
  // A test that the commit itself brought can go again, and is missed by nobody.
  if (path === undefined || commit.after[path] !== commit.before[path]) return undefined;
  return edit(commit, path, (text) => text.replace(lastTest, commit.voice.language === "java" ? "\n}\n" : "\n"));
}

function removedTests(commit: CleanCommit) {
  const path = testsOf(commit);
  if (path === undefined || /removed|removes|moved/.test(commit.shape)) return undefined;
  return { after: Object.fromEntries(Object.entries(textOf(commit)).filter(([name]) => name !== path)), path };
}

function lostAssertion(commit: CleanCommit) {
  const path = testsOf(commit);
  if (path === undefined || commit.after[path] !== commit.before[path]) return undefined;
  return edit(commit, path, (text) => text.replace(assertionLine, ""));
}

/** Every defect in every commit that has a place for it. */
export function plantDefects(commits: readonly CleanCommit[]): Planted[] {
  return plants.flatMap(({ defect, gate, plant }) =>
    commits.flatMap((commit): Planted[] => {
      const planted = plant(commit);
      if (planted === undefined) return [];
      const { after, path, spec = commit.spec } = planted;
      return [{ commit: { ...commit, after, spec }, defect, gate, path }];
    }),
  );
}
