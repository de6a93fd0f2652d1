import { type TestCase, titleOf } from "./test-report.ts";

/** Identity of a test: the same in two runs of the same test, also in another folder of another machine. */
export function testKey({ suite, name }: Pick<TestCase, "suite" | "name">): string {
  return `${withoutRoots(suite)}\0${withoutRoots(name)}`;
}

/** Identity of a failure: test and message, without what changes from run to run. */
export function fingerprint(test: Pick<TestCase, "suite" | "name" | "message">): string {
  return `${testKey(test)}\0${normaliseMessage(test.message)}`;
}

/** A message without addresses, times, paths, line numbers, identifiers and counts of milliseconds. */
export function normaliseMessage(message: string): string {
  return message
    .slice(0, 2000)
    .replace(/(?:[a-z]{2,10}:\/\/)?(?:\/|[A-Za-z]:\\)[^\s"'`()<>[\]{},;]+/g, "<path>")
    .replace(/\b0x[0-9a-f]+\b/gi, "<address>")
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "<id>")
    .replace(/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?/g, "<time>")
    .replace(/\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b/g, "<time>")
    .replace(/\b\d+(?:\.\d+)?\s?(?:ns|µs|us|ms|s|sec|secs|seconds|min|minutes)\b/g, "<time>")
    .replace(/\b((?:\d{1,3}\.){3}\d{1,3}|localhost|\[::1?\]):\d+\b/g, "$1:<port>")
    .replace(/:\d+(?::\d+)?\b/g, ":<line>")
    .replace(/\b(lines?|column|pid|port|thread)( +| *[=:] *)\d+\b/gi, "$1 <n>")
    .replace(/\b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}\b/g, "<id>")
    .replace(/\s+/g, " ")
    .trim();
}

/** Absolute paths keep their last two parts: the folder of a worktree is no part of a test's name. */
function withoutRoots(text: string): string {
  return text.replace(/(?<![\w.\-/])(?:file:\/\/)?\/(?:[^\s/]+\/)*([^\s/]+\/[^\s/]+)/g, "$1");
}

/** Names for people, each once, at most `limit` and then how many more. */
export function namesOf(tests: readonly Pick<TestCase, "suite" | "name">[], limit = 10): string {
  const titles = [...new Set(tests.map(titleOf))];
  const more = titles.length > limit ? ` and ${titles.length - limit} more` : "";
  return titles.slice(0, limit).join("; ") + more;
}
