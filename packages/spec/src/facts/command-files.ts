import { isGlob } from "@dispatch/core";
import type { ShellWord, SimpleCommand } from "./read-commands.ts";

/** A path that a command needs to be there. */
export interface NamedFile {
  /** Relative to the repository root. */
  path: string;
  /** A folder, a prefix or a pattern of tests, rather than one file. */
  loose: boolean;
}

/** Programs whose arguments are no files, or files that they make. */
const silent = new Set(
  "echo printf rm mkdir touch cp mv cd export unset set docker docker-compose podman kubectl helm git gh pip pip3 uv npm pnpm yarn bun npx make just composer cargo go ssh scp rsync psql mysql redis-cli kill sleep trap which command type seq date xargs tar zip ln chmod terraform dispatch mktemp exit return true false yes".split(
    " ",
  ),
);
const testRunners = new Set("pytest vitest jest mocha ava tap phpunit rspec playwright cypress deno py.test jasmine karma".split(" "));
const extension =
  /\.(?:[cm]?[jt]sx?|py|go|rs|rb|php|java|kt|swift|cs|c|h|cc|cpp|hpp|sh|bash|sql|json|jsonc|ya?ml|toml|ini|cfg|xml|html?|css|scss|md|txt|csv|svelte|vue|graphql|proto|lock|env|template|conf|mjs|cjs|ipynb|tf|gradle)$/i;
/** Folders that no repository tracks. */
const untracked = /(?:^|\/)(?:node_modules|\.venv|venv|env|dist|build|target|coverage|\.next|out|tmp|__pycache__|vendor|evidence|\.git)(?:\/|$)/;

/** The runner of a test command, `npx vitest` and `python -m pytest` included. */
export function testRunnerOf({ words }: SimpleCommand): string | undefined {
  const names = words.slice(0, 4).map(({ text }) => text.slice(text.lastIndexOf("/") + 1));
  if (names[0] === "node" && words.some(({ text }) => text === "--test")) return "node --test";
  if (names[0] === "go" && names[1] === "test") return "go test";
  if (names[0] === "bun" && names[1] === "test") return "bun test";
  const carried = /^(?:npx|pnpm|yarn|poetry|uv|uvx|pipx|bunx|python3?|coverage|bundle)$/.test(names[0] ?? "");
  const found = carried ? names.slice(1).find((name) => testRunners.has(name)) : names[0];
  return found !== undefined && testRunners.has(found) ? found : undefined;
}

/** Paths that a command reads. Leaves out what it makes, what is computed and what only looks like a path. */
export function namedFiles(command: SimpleCommand): NamedFile[] {
  const { program, words, cwd, inputs } = command;
  if (cwd === null || isAbsenceCheck(command)) return [];
  const base = program.slice(program.lastIndexOf("/") + 1);
  const runner = testRunnerOf(command);
  const found: NamedFile[] = [];
  const take = (text: string, loose: boolean) => {
    const path = within(cwd, text);
    if (path !== undefined && !untracked.test(path)) found.push({ path, loose });
  };
  if (program.includes("/") && isPlainPath(program)) take(program, false);
  for (const input of inputs) if (isPlainPath(input)) take(input, false);
  if (silent.has(base) && runner === undefined) return found;
  for (const { text, loose } of argumentPaths(words, base, runner)) take(text, loose);
  return found;
}

function argumentPaths(words: readonly ShellWord[], base: string, runner: string | undefined): { text: string; loose: boolean }[] {
  let skipPattern = /^(?:grep|egrep|fgrep|rg|sed|awk|gawk|jq|yq)$/.test(base);
  const found: { text: string; loose: boolean }[] = [];
  for (let i = 1; i < words.length; i++) {
    const word = words[i];
    if (word === undefined || word.computed) continue;
    if (
      /^(?:-o|--out|--output|--outfile|--outdir|--out-dir|--coverage-dir|--junitxml|--report|-k|-m|-e|-t|-c|-p|--grep|--filter|--testNamePattern|-run|-X|-H|-d|--data|--header|-w|--test-name-pattern|--eval|--message|-n|--name|-f|--format|--reporter)$/.test(
        word.text,
      )
    ) {
      const value = words[i + 1];
      if (/^-f$/.test(word.text) && value !== undefined && base === "test") continue;
      if (/^-e$/.test(word.text) && /^(?:test|\[)$/.test(base)) continue;
      if (/^-c$/.test(word.text) && /grep|wc|rg/.test(base)) continue;
      if (/^-n$/.test(word.text) && /grep|head|tail|sed|rg/.test(base)) continue;
      if (/^-w$/.test(word.text) && /grep|wc|rg/.test(base)) continue;
      if (/^-m$/.test(word.text) && /^python/.test(base)) {
        i += 1;
        continue;
      }
      if (/^-[eo]$/.test(word.text) && /grep|rg|sed/.test(base)) skipPattern = word.text === "-e" ? false : skipPattern;
      if (!(word.text === "-o" && /grep|rg/.test(base))) i += 1;
      continue;
    }
    if (word.text.startsWith("-")) continue;
    if (skipPattern) {
      skipPattern = false;
      continue;
    }
    const text = word.text.replace(/::.*$/, "").replace(/:\d+(?::\d+)?$/, "");
    if (!isPlainPath(text)) continue;
    if (extension.test(text) && !(runner !== undefined && /^(?:vitest|jest)$/.test(runner) && !text.includes("/")))
      found.push({ text, loose: false });
    else if (runner !== undefined && (text.includes("/") || (runner === "pytest" && !word.quoted)))
      found.push({ text: text.replace(/\/?\.\.\.$/, ""), loose: true });
  }
  return found;
}

function isPlainPath(text: string): boolean {
  return (
    /^[\w.@/+-]+$/.test(text) &&
    !text.startsWith("/") &&
    !text.startsWith("@") &&
    !/^\.+$/.test(text) &&
    !/^\d+(?:\.\d+)*$/.test(text) &&
    !isGlob(text)
  );
}

/** `test ! -e x`, `[ ! -f x ]` and `! test -f x` want a path to be absent. */
function isAbsenceCheck({ program, words, negated }: SimpleCommand): boolean {
  if (!/^(?:test|\[|\[\[|ls|find)$/.test(program)) return false;
  return negated || words.some(({ text }) => text === "!");
}

/** The path seen from the root of the repository; undefined when it leads out of it. */
function within(cwd: string, text: string): string | undefined {
  const parts = cwd === "." ? [] : cwd.split("/");
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.length === 0 ? undefined : parts.join("/");
}
