import { coversPath, isGlob, type TaskSpec } from "@dispatch/core";
import { headingKind } from "../parse/heading-kind.ts";
import type { Problem } from "../problem.ts";
import { problemAt, type ReadableFile } from "./lint-facts.ts";

/** GOAL001: a goal must say what it changes: a path the spec owns, or a symbol. */
export function lintGoal(file: ReadableFile): Problem[] {
  const { spec, document } = file.parsed;
  if (spec.goal === "") {
    const misplaced =
      document.sections.every(({ kind }) => kind !== "goal") && document.heading !== null && headingKind(document.heading) === "goal"
        ? `; "# ${document.heading}" is a title, write "## ${document.heading}"`
        : "";
    return [
      problemAt(file, {
        id: "GOAL001",
        code: "goal-empty",
        part: "body.goal",
        message: `the goal is empty; add a section ## Goal (or ## 目标) that names what to change${misplaced}`,
      }),
    ];
  }
  const owned = [...spec.modifies, ...spec.creates, ...spec.deletes];
  if (owned.length === 0 || namesSomething(spec.goal, owned)) return [];
  const some = owned.slice(0, 3).join(", ");
  return [
    problemAt(file, {
      id: "GOAL001",
      code: "goal-names-nothing",
      part: "body.goal",
      message: `goal names nothing you may change; mention one of: ${some}`,
    }),
  ];
}

/** A symbol cannot be looked up without the code, so a word that can only be one is enough. */
function namesSomething(goal: string, owned: TaskSpec["modifies"]): boolean {
  const lower = goal.toLowerCase();
  if (owned.some((entry) => wordsOf(entry).some((word) => holdsWord(lower, word)))) return true;
  const tokens = goal.match(/[A-Za-z0-9_$@.*/()[\]-]+/g) ?? [];
  return tokens.some((token) => isSymbol(token) || owned.some((entry) => coversPath(entry, token.replace(/^[.(]+|[.,()]+$/g, ""))));
}

function isSymbol(token: string): boolean {
  const word = token.replace(/\(\)?[.)]*$/, "").replace(/[.)]+$/, "");
  if (word.includes("/") || /\.[a-z]{1,5}$/.test(word)) return false;
  return /^[A-Za-z_$][\w$.]*$/.test(word) && (/[a-z0-9][A-Z]/.test(word) || /[A-Za-z0-9]_[A-Za-z0-9]/.test(word) || /\w\(\)?/.test(token));
}

/** Ways to name an entry: the path, its last segment, that without extension, and that as words. */
function wordsOf(entry: string): string[] {
  const segments = entry.toLowerCase().replace(/\/$/, "").split("/");
  const wild = segments.findIndex((segment) => isGlob(segment));
  const fixed = wild === -1 ? segments : segments.slice(0, wild);
  const last = fixed.at(-1) ?? "";
  const stem = last.replace(/(?<=.)\.[^.]*$/, "");
  return [fixed.join("/"), last, stem, stem.replace(/[-_.]+/g, " ")].filter((word) => word.length >= 2);
}

function holdsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    if (!/[a-z0-9_]/.test(text.charAt(at - 1)) && !/[a-z0-9_]/.test(text.charAt(at + word.length))) return true;
  }
  return false;
}
