import { isTestFile, readText, roomNames, runWhenMain, sourceFiles } from "./repository-files.mjs";

/** The places that push, and where to. Another one is added here when it is shown that it only moves forward. */
const allowed = new Map([
  ["packages/git/src/push-commit.ts", "main, to a branch of origin"],
  ["packages/git/src/carry-attempts.ts", "a base commit, into a node's repository, under a ref named for it"],
]);

/** The word as an argument, not as a method of a list. */
const pushWord = /(["'`])push\1/g;
const inShell = /\bgit\b[^\n;|&,]*\spush\b/;
const forcing = /(["'`])(?:--force[\w-]*(?:=[^"'`]*)?|-[a-z]*f[a-z]*|--mirror|--delete|--prune|-d|\+[^"'`]*)\1/;

/** Every push in the sources of the rooms that is not one of the allowed ones, or that may do more than move a branch forward. */
export function checkPushes(root) {
  const paths = roomNames(root)
    .flatMap((room) => sourceFiles(root, `packages/${room}/src`))
    .filter((path) => !isTestFile(path));
  return paths.flatMap((path) => checkFile(path, readText(root, path)));
}

function checkFile(path, text) {
  const problems = [];
  const at = (index) => `${path}:${text.slice(0, index).split("\n").length}`;
  for (const { index } of text.matchAll(pushWord)) {
    const list = listAround(text, index);
    if (list === undefined || /\benum\($/.test(text.slice(0, list.start))) continue;
    if (!allowed.has(path)) problems.push(`${at(index)}: a push outside of ${[...allowed.keys()].join(", ")}`);
    const found = forcing.exec(list.text);
    if (found !== null) problems.push(`${at(list.start + found.index)}: ${found[0]} in a push; branches are moved by fast-forward only`);
  }
  for (const [i, line] of text.split("\n").entries()) {
    if (inShell.test(line) && !/^\s*(?:\/\/|\/?\*)/.test(line) && !isRule(path)) problems.push(`${path}:${i + 1}: a push in the words of a shell`);
  }
  return problems;
}

/** The rules for specs speak of pushes that specs must not ask for. */
function isRule(path) {
  return path.startsWith("packages/spec/src/lint/");
}

/** The innermost list that a position is in, as written. */
function listAround(text, index) {
  let depth = 0;
  for (let start = index; start >= 0; start -= 1) {
    if (text[start] === ";") return undefined;
    if (text[start] === "]") depth += 1;
    if (text[start] !== "[") continue;
    if (depth === 0) return { start, text: text.slice(start, endOf(text, start)) };
    depth -= 1;
  }
  return undefined;
}

function endOf(text, start) {
  let depth = 0;
  for (let end = start; end < text.length; end += 1) {
    if (text[end] === "[") depth += 1;
    if (text[end] === "]") depth -= 1;
    if (depth === 0) return end + 1;
  }
  return text.length;
}

runWhenMain(import.meta.url, checkPushes);
