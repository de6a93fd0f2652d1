import { sumBefore, sumOf } from "./sum-lines.ts";
import { CaseList, firstWords, type Output, type Reading, type TestOutcome } from "./test-report.ts";

const pytestOutcomes: Readonly<Record<string, TestOutcome>> = {
  PASSED: "passed",
  FAILED: "failed",
  ERROR: "failed",
  SKIPPED: "skipped",
  XFAIL: "passed",
  XPASS: "passed",
};

/** pytest: its last line, the short summary (-rA and the like), and with -v a line for each test. */
export function readPytest({ lines }: Output): Reading | null {
  const cases = new CaseList();
  const totals = { passed: 0, failed: 0, skipped: 0 };
  let spoke = false;
  for (const line of lines) {
    if (/^(?:=+ )?no tests ran in [\d.]+s/.test(line)) spoke = true;
    const summary = /\bin \d[\d.]*s\b/.test(line)
      ? /^(?:=+ )?(\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?|rerun)\b.*) in \d/.exec(line)?.[1]
      : undefined;
    if (summary !== undefined) {
      spoke = true;
      totals.passed += sumBefore(summary, /^(?:passed|xfailed|xpassed)$/);
      totals.failed += sumBefore(summary, /^(?:failed|errors?)$/);
      totals.skipped += sumBefore(summary, /^skipped$/);
    }
    const short = /^(PASSED|FAILED|ERROR|XFAIL|XPASS) (\S.*?\.py(?:::.*?)?)(?: - (.*))?$/.exec(line);
    const each = short ?? /^(\S+\.py::\S.*?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b/.exec(line);
    if (each === null) continue;
    const [outcome, id = ""] = short === null ? [each[2], each[1]] : [each[1], each[2]];
    const [suite = "", ...names] = id.split("::");
    const name = names.length === 0 ? suite : names.join("::");
    cases.add(suite, name, pytestOutcomes[outcome ?? ""] ?? "passed", firstWords([short?.[3] ?? ""]));
  }
  return spoke ? cases.reading(totals) : null;
}

/** unittest: `FAIL: test (module.Class.test)` above each failure, and with -v a line for each test. */
export function readUnittest({ lines, cut }: Output): Reading | null {
  const ran = sumOf(lines, /^Ran (\d{1,9}) tests? in [\d.]+s$/);
  if (ran === null) return null;
  const cases = new CaseList();
  for (const [i, line] of lines.entries()) {
    const failure = /^(?:FAIL|ERROR): (\S.*)$/.exec(line)?.[1];
    const each = /^(\S.*?) \.\.\. (ok|skipped\b.*|FAIL|ERROR)$/.exec(line);
    if (failure !== undefined) {
      const below = lines.slice(i + 1, i + 60);
      const trace = below.findIndex((next) => next.startsWith("Traceback"));
      cases.add("", failure, "failed", firstWords(below.slice(trace + 1).filter((next) => /^\S/.test(next))));
    } else if (each !== null)
      cases.add("", each[1] ?? "", each[2] === "ok" ? "passed" : (each[2] ?? "").startsWith("skipped") ? "skipped" : "failed");
  }
  const of = (word: string): number => sumOf(lines, new RegExp(`^(?:OK|FAILED) \\(.*\\b${word}=(\\d+)`)) ?? 0;
  const [failed, skipped] = [of("failures") + of("errors"), of("skipped")];
  return cases.reading({ passed: Math.max(0, ran - failed - skipped), failed, skipped }, cut && failed > 0);
}

/** go test, with and without -v. Without it go names packages, not tests; then a package with tests counts as one. */
export function readGo({ lines, cut }: Output): Reading | null {
  const cases = new CaseList();
  let pending: { name: string; outcome: TestOutcome; message: string }[] = [];
  const counted = { passed: 0, failed: 0, skipped: 0 };
  let [quiet, spoke] = [0, false];
  for (const [i, line] of lines.entries()) {
    const each = /^ *--- (PASS|FAIL|SKIP): (\S+) \([\d.]+s\)$/.exec(line);
    const done = /^(ok|FAIL|\?|---)\s*\t(\S+)(?:\t(.*)| (\[.*\]))$/.exec(line);
    if (each !== null) {
      const outcome = each[1] === "PASS" ? "passed" : each[1] === "FAIL" ? "failed" : "skipped";
      pending.push({ name: each[2] ?? "", outcome, message: outcome === "failed" ? goMessage(lines, i, each[2] ?? "") : "" });
      counted[outcome]++;
      spoke = true;
    } else if (done !== null && /^[\d.]+s|^\(cached\)|^\[/.test(done[3] ?? done[4] ?? "")) {
      const [, verdict, suite = "", said = ""] = done;
      for (const test of pending) cases.add(suite, test.name, test.outcome, test.message);
      if (verdict === "FAIL" && !pending.some((test) => test.outcome === "failed")) {
        cases.add(suite, "the package", "failed", firstWords([done[4] ?? ""]));
        counted.failed++;
      }
      if (verdict === "ok" && !/\[no test(?:s to run| files)\]/.test(said)) quiet++;
      pending = [];
      spoke = true;
    }
  }
  for (const test of pending) cases.add("", test.name, test.outcome, test.message);
  return spoke ? cases.reading({ ...counted, passed: Math.max(counted.passed, quiet) }, cut && counted.failed > 0) : null;
}

/** Under the verdict, or with -v since the test began. */
function goMessage(lines: readonly string[], at: number, name: string): string {
  const clean = (text: string): string => text.replace(/^\s+[\w.-]+\.go:\d+: /, "");
  const next = lines[at + 1] ?? "";
  if (/^\s+\S|^panic: /.test(next) && !/^ *--- /.test(next)) return firstWords([clean(next)]);
  const recent = lines.slice(Math.max(0, at - 40), at);
  const begun = recent.lastIndexOf(`=== RUN   ${name}`);
  return begun < 0
    ? ""
    : firstWords(
        recent
          .slice(begun + 1)
          .filter((line) => /^\s+\S/.test(line) && !/^ *--- /.test(line))
          .map(clean),
      );
}

/** cargo test, and the summary of cargo nextest. */
export function readCargo({ lines, cut }: Output): Reading | null {
  const cases = new CaseList();
  let suite = "";
  for (const [i, line] of lines.entries()) {
    suite = /^ +Running (?:unittests )?(\S+)/.exec(line)?.[1] ?? /^ +(Doc-tests \S+)$/.exec(line)?.[1] ?? suite;
    const each = /^test (\S.*?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)\b/.exec(line);
    const told = /^---- (\S.*?) stdout ----$/.exec(line)?.[1];
    const next = /^ +(PASS|FAIL|TIMEOUT|SIG[A-Z]+) \[ *[\d.]+s\](?: \([^)]*\))? (\S+) (\S.*)$/.exec(line);
    if (each !== null) cases.add(suite, each[1] ?? "", each[2] === "ok" ? "passed" : each[2] === "FAILED" ? "failed" : "skipped");
    else if (told !== undefined) cases.add(suite, told, "failed", cargoMessage(lines.slice(i + 1, i + 20)));
    else if (next !== null) cases.add(next[2] ?? "", next[3] ?? "", next[1] === "PASS" ? "passed" : "failed");
  }
  const results = lines.filter((line) => /^test result: \w+\. \d+ passed; \d+ failed;/.test(line));
  const of = (from: readonly string[], words: RegExp): number => from.reduce((sum, line) => sum + sumBefore(line, words), 0);
  if (results.length > 0) {
    return cases.reading(
      { passed: of(results, /^passed$/), failed: of(results, /^failed$/), skipped: of(results, /^ignored$/) },
      cut && of(results, /^failed$/) > 0,
    );
  }
  const nextest = lines.filter((line) => /^\s*Summary \[.*\] +\d+ tests? run:/.test(line));
  if (nextest.length > 0) {
    const failed = /^(?:failed|timed)$/;
    return cases.reading({ passed: of(nextest, /^passed$/), failed: of(nextest, failed), skipped: of(nextest, /^skipped$/) });
  }
  const begun = sumOf(lines, /^running (\d{1,9}) tests?$/);
  // It died on the way: what is not named as failed may have passed.
  return begun === null ? null : cases.reading({ passed: begun, failed: 0, skipped: 0 }, true);
}

function cargoMessage(below: readonly string[]): string {
  const end = below.findIndex((line) => line.startsWith("---- "));
  const block = end < 0 ? below : below.slice(0, end);
  return firstWords(block.map((line) => (/^thread '.*' .*panicked at (?!')/.test(line) ? "" : line)));
}

/** The `Tests run:` lines of maven; gradle and sbt write XML. */
export function readMaven({ lines }: Output): Reading | null {
  const pattern = /\bTests run: (\d{1,9}), Failures: (\d{1,9}), Errors: (\d{1,9})(?:, Skipped: (\d{1,9}))?/;
  const cases = new CaseList();
  const totals = { passed: 0, failed: 0, skipped: 0 };
  let spoke = false;
  for (const line of lines) {
    const failure = /^\[ERROR\]\s+(\S+)\.(\S+?):\d+(?: (.*))?$/.exec(line);
    if (failure !== null) cases.add(failure[1] ?? "", failure[2] ?? "", "failed", firstWords([failure[3] ?? ""]));
    const [, run, failures, errors, skipped] = pattern.exec(line)?.map(Number) ?? [];
    // Each class has such a line with its time, and all together one without.
    if (run === undefined || (!line.includes("Time elapsed") && spoke)) continue;
    spoke = true;
    const failed = (failures ?? 0) + (errors ?? 0);
    totals.failed += failed;
    totals.skipped += skipped || 0;
    totals.passed += Math.max(0, run - failed - (skipped || 0));
  }
  return spoke ? cases.reading(totals) : null;
}
