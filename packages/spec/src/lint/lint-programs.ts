import { coversPath, patternProblem } from "@dispatch/core";
import type { SimpleCommand } from "../facts/read-commands.ts";
import { knownExecutables, type Manifest } from "../facts/read-manifest.ts";
import type { Problem } from "../problem.ts";
import { suggestNearest } from "../suggest-nearest.ts";
import type { KnownProject, LintCase } from "./lint-case.ts";
import type { Check } from "./lint-commands.ts";
import { problemAt } from "./lint-facts.ts";

interface Wanted {
  kind: Manifest["kind"];
  script: string;
  /** Folder where the manifest is looked for, and above it. */
  folder: string;
}

/** VER002: scripts and programs that nothing provides. Silent where the project's manifests are not known. */
export function lintPrograms(given: LintCase, project: KnownProject, checks: readonly Check[]): Problem[] {
  const manifests = project.manifests ?? null;
  if (manifests === null) return [];
  const brought = new Set([...knownExecutables, ...(project.executables ?? []), ...manifests.flatMap(({ executables }) => executables)]);
  const told = new Set<string>();
  return checks.flatMap((check) =>
    check.commands.flatMap((command): Problem[] => {
      const wrong = programProblem(command, brought) ?? scriptProblem(given, manifests, command);
      if (wrong === undefined || told.has(wrong.what)) return [];
      told.add(wrong.what);
      return [problemAt(given.file, { id: "VER002", code: wrong.code, part: check.part, message: `${check.name}: ${wrong.message}` })];
    }),
  );
}

interface Wrong {
  what: string;
  code: "program-unknown" | "script-unknown";
  message: string;
}

function programProblem({ program, words }: SimpleCommand, brought: ReadonlySet<string>): Wrong | undefined {
  const carried = /^(?:npx|bunx)$/.test(program) ? words.slice(1).find(({ text }) => !text.startsWith("-"))?.text : undefined;
  if (carried !== undefined) {
    const near = brought.has(carried) || carried.includes("@") || carried.includes("/") ? undefined : suggestNearest(carried, brought);
    return near === undefined
      ? undefined
      : { what: carried, code: "program-unknown", message: `program "${carried}" is not known; did you mean ${near}?` };
  }
  if (program.includes("/") || brought.has(program) || !/^[A-Za-z][\w.+-]*$/.test(program)) return undefined;
  const near = suggestNearest(program, brought);
  const advice = near === undefined ? "; use a script of the project" : `; did you mean ${near}?`;
  return { what: program, code: "program-unknown", message: `program "${program}" is neither a common one nor brought by the project${advice}` };
}

function scriptProblem(given: LintCase, manifests: readonly Manifest[], command: SimpleCommand): Wrong | undefined {
  const wanted = scriptOf(command);
  if (wanted === undefined) return undefined;
  const near = nearestManifests(manifests, wanted);
  if (near.some(({ scripts }) => scripts.includes(wanted.script) || scripts.some((name) => name.includes("%")))) return undefined;
  if (changesManifest(given, wanted.kind)) return undefined;
  const label = { npm: "npm script", make: "make target", just: "just recipe", composer: "composer script", python: "script" }[wanted.kind];
  const first = near[0];
  const has =
    first === undefined ? "the project has no manifest for it" : `not in ${first.file} (has: ${first.scripts.slice(0, 8).join(", ") || "none"})`;
  return { what: `${wanted.kind} ${wanted.script}`, code: "script-unknown", message: `${label} "${wanted.script}" ${has}` };
}

const npmVerbs = new Set(
  "install i ci add remove exec x dlx init create publish pack audit outdated version view info link root bin config cache why list ls dedupe rebuild prune workspaces workspace set up upgrade global node import -r".split(
    " ",
  ),
);

function scriptOf({ program, words, cwd }: SimpleCommand): Wanted | undefined {
  if (cwd === null) return undefined;
  const option = (pattern: RegExp): string | undefined => {
    const at = words.findIndex(({ text }) => pattern.test(text));
    return at === -1 ? undefined : (/=(.*)$/.exec(words[at]?.text ?? "")?.[1] ?? words[at + 1]?.text);
  };
  const takesValue = /^(?:--prefix|-C|--dir|--cwd|-f|--file|--makefile|--directory|-w|--workspace|-F|--filter|-j|--justfile|-d)$/;
  const plain = words.slice(1).filter(({ text }, i) => !text.startsWith("-") && !takesValue.test(words[i]?.text ?? "") && !/^[A-Z_]+=/.test(text));
  const [first, second] = [plain[0], plain[1]];
  if (plain[0]?.computed === true || plain[1]?.computed === true) return undefined;
  const inside = (folder: string | undefined) =>
    folder === undefined ? cwd : `${cwd === "." ? "" : `${cwd}/`}${folder.replace(/^\.\//, "").replace(/\/$/, "")}`;
  switch (program) {
    case "npm":
    case "pnpm":
    case "yarn":
    case "bun": {
      if (words.some(({ text }) => /^(?:-w|--workspaces?|--workspace=.*|-r|--recursive|-F|--filter|--filter=.*)$/.test(text))) return undefined;
      const runs = first?.text === "run" || first?.text === "run-script" ? second?.text : shortScript(program, first?.text);
      return runs === undefined ? undefined : { kind: "npm", script: runs, folder: inside(option(/^(?:--prefix|-C|--dir|--cwd)(?:=|$)/)) };
    }
    case "make":
      return first === undefined || option(/^(?:-f|--file|--makefile)(?:=|$)/) !== undefined
        ? undefined
        : { kind: "make", script: first.text, folder: inside(option(/^(?:-C|--directory)(?:=|$)/)) };
    case "just":
      return first === undefined || option(/^(?:-f|--justfile|-d)(?:=|$)/) !== undefined
        ? undefined
        : { kind: "just", script: first.text, folder: cwd };
    default:
      return undefined;
  }
}

function shortScript(program: string, word: string | undefined): string | undefined {
  if (word === undefined || npmVerbs.has(word)) return undefined;
  if (word === "t" || word === "tst") return "test";
  if (program === "npm") return /^(?:test|start|stop|restart)$/.test(word) ? word : undefined;
  return /^(?:test|start|build|lint|typecheck|check|dev)$/.test(word) && program !== "bun" ? word : undefined;
}

/** The manifests of the folder, or of the nearest folder above it that has one. */
function nearestManifests(manifests: readonly Manifest[], { kind, folder }: Wanted): Manifest[] {
  for (let at = folder; ; at = at.includes("/") ? at.slice(0, at.lastIndexOf("/")) : ".") {
    const here = manifests.filter((manifest) => manifest.kind === kind && manifest.folder === at);
    if (here.length > 0 || at === ".") return here;
  }
}

const manifestNames: Readonly<Record<Manifest["kind"], readonly string[]>> = {
  npm: ["package.json"],
  make: ["Makefile", "makefile", "GNUmakefile"],
  just: ["justfile", "Justfile", ".justfile"],
  composer: ["composer.json"],
  python: ["pyproject.toml"],
};

/** Whether the spec, or one before it, writes such a manifest: then what it will hold is not known. */
function changesManifest(given: LintCase, kind: Manifest["kind"]): boolean {
  const { spec } = given.file.parsed;
  const changed = [spec, ...given.ancestors()].flatMap(({ modifies, creates }) => [...(modifies ?? []), ...creates]);
  return changed.some(
    (entry) =>
      patternProblem(entry) === undefined &&
      manifestNames[kind].some((name) => entry === name || entry.endsWith(`/${name}`) || coversPath(entry, name)),
  );
}
