import { CaseList, firstWords, type Output, type Reading, type TestOutcome } from "./test-report.ts";

type Json = Readonly<Record<string, unknown>>;

/** The report of `vitest --reporter=json` or `jest --json`. */
export function readJestJson(output: Output): { runner: "vitest" | "jest"; reading: Reading } | null {
  const report = findObject(output, (each) => typeof each["numTotalTests"] === "number" && Array.isArray(each["testResults"]));
  if (report === null) return null;
  const cases = new CaseList();
  let brokenFiles = 0;
  for (const file of objectsIn(report["testResults"])) {
    const path = textIn(file, "name");
    const results = objectsIn(file["assertionResults"]);
    for (const each of results) {
      const titles = arrayIn(each["ancestorTitles"]).filter((title) => typeof title === "string");
      const messages = arrayIn(each["failureMessages"]).filter((message) => typeof message === "string");
      cases.add(path, [...titles, textIn(each, "title")].join(" > "), outcomeOf(each["status"]), firstWords(messages.join("\n").split("\n")));
    }
    if (file["status"] === "failed" && !results.some((each) => each["status"] === "failed")) {
      brokenFiles++;
      cases.add(path, path, "failed", firstWords(textIn(file, "message").split("\n")));
    }
  }
  const failed = numberIn(report, "numFailedTests") + brokenFiles;
  const totals = {
    passed: numberIn(report, "numPassedTests"),
    failed,
    skipped: numberIn(report, "numPendingTests") + numberIn(report, "numTodoTests"),
  };
  return { runner: "numRuntimeErrorTestSuites" in report ? "jest" : "vitest", reading: cases.reading(totals) };
}

/** The report of `mocha --reporter json`. */
export function readMochaJson(output: Output): Reading | null {
  const report = findObject(output, (each) => Array.isArray(each["failures"]) && Array.isArray(each["passes"]) && isObject(each["stats"]));
  if (report === null) return null;
  const cases = new CaseList();
  const add = (list: unknown, outcome: TestOutcome): void => {
    for (const each of objectsIn(list)) {
      const title = textIn(each, "title");
      const full = textIn(each, "fullTitle");
      const suite = full.endsWith(title) ? full.slice(0, full.length - title.length) : full;
      const error = isObject(each["err"]) ? each["err"] : {};
      cases.add(suite, title, outcome, firstWords(textIn(error, "message").split("\n")));
    }
  };
  add(report["passes"], "passed");
  add(report["pending"], "skipped");
  add(report["failures"], "failed");
  const stats = isObject(report["stats"]) ? report["stats"] : {};
  return cases.reading({ passed: numberIn(stats, "passes"), failed: numberIn(stats, "failures"), skipped: numberIn(stats, "pending") });
}

/** The lines of `go test -json`. */
export function readGoJson({ lines, cut }: Output): Reading | null {
  const cases = new CaseList();
  const outputs = new Map<string, string[]>();
  const red = new Set<string>();
  let spoke = false;
  for (const line of lines) {
    const event = line.startsWith("{") && line.includes('"Action"') ? parseObject(line) : null;
    if (event === null) continue;
    const suite = textIn(event, "Package") || textIn(event, "ImportPath").replace(/ .*/, "");
    const name = textIn(event, "Test");
    const key = `${suite}\0${name}`;
    const action = event["Action"];
    spoke ||= suite !== "";
    if (action === "output" || action === "build-output") keepOutput(outputs, key, textIn(event, "Output"));
    else if (name !== "" && (action === "pass" || action === "fail" || action === "skip")) {
      if (action === "fail") red.add(suite);
      cases.add(suite, name, action === "pass" ? "passed" : action === "fail" ? "failed" : "skipped", action === "fail" ? wordsOf(outputs, key) : "");
    } else if (action === "fail" && !red.has(suite)) cases.add(suite, "the package", "failed", wordsOf(outputs, key));
  }
  return spoke ? cases.reading(null, cut) : null;
}

function keepOutput(outputs: Map<string, string[]>, key: string, text: string): void {
  if (/^\s*(?:===|---|FAIL|PASS|ok\s|\?\s|coverage:)/.test(text)) return;
  const kept = outputs.get(key) ?? [];
  if (kept.length < 8) kept.push(text.replace(/^\s+[\w.-]+_test\.go:\d+: /, ""));
  outputs.set(key, kept);
}

function wordsOf(outputs: ReadonlyMap<string, string[]>, key: string): string {
  return firstWords(outputs.get(key) ?? []);
}

function outcomeOf(status: unknown): TestOutcome {
  return status === "passed" ? "passed" : status === "failed" ? "failed" : "skipped";
}

const maxTries = 20;

/** The last object in an output, on one line or with its braces on lines of their own, that is what is asked for. */
function findObject({ text }: Output, fits: (candidate: Json) => boolean): Json | null {
  const lines = text.split("\n");
  let tries = 0;
  for (let i = lines.length - 1; i >= 0 && tries < maxTries; i--) {
    const line = lines[i] ?? "";
    if (line !== "{" && !/^\{.*"(?:numTotalTests|stats)"/.test(line)) continue;
    tries++;
    const end = line === "{" ? lines.indexOf("}", i) : i;
    if (end < 0) continue;
    const found = parseObject(lines.slice(i, end + 1).join("\n"));
    if (found !== null && fits(found)) return found;
  }
  return null;
}

function parseObject(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function arrayIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function objectsIn(value: unknown): readonly Json[] {
  return arrayIn(value).filter(isObject);
}

function textIn(from: Json, key: string): string {
  const value = from[key];
  return typeof value === "string" ? value : "";
}

function numberIn(from: Json, key: string): number {
  const value = from[key];
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
