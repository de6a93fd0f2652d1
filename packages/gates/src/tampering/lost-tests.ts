import { coversAny, type Finding, type TaskSpec } from "@dispatch/core";
import { quoteLine } from "../clean-output.ts";
import { isTestFile, isTestName } from "../language.ts";
import type { ReadChange } from "../read-change.ts";
import { declaredNames } from "./declared-names.ts";
import { blocked, noted } from "./finding.ts";
import { dialectOf, type TestCase, testsIn } from "./test-code.ts";

/** Tests of one file that went and came, without those that stayed or were moved to or from another file. */
export interface TestBalance {
  read: ReadChange;
  gone: readonly TestCase[];
  fresh: readonly TestCase[];
}

/** Balances the tests of all files: the same title removed and added is one test, wherever it stands. */
export function balanceTests(reads: readonly ReadChange[]): TestBalance[] {
  const balances = reads.flatMap((read) => {
    const dialect = dialectOf(read.change.path, read.language);
    if (dialect === undefined || !(isTestFile(read.change.path) || read.language === "rust")) return [];
    const [gone, fresh] = withoutPairs(testsIn(read.removed, dialect), testsIn(read.added, dialect));
    return [{ read, gone, fresh }];
  });
  for (const from of balances) {
    for (const to of balances) {
      if (from === to || from.gone.length === 0 || to.fresh.length === 0) continue;
      [from.gone, to.fresh] = withoutPairs(from.gone, to.fresh);
    }
  }
  return balances;
}

function withoutPairs(gone: readonly TestCase[], fresh: readonly TestCase[]): [TestCase[], TestCase[]] {
  const left = [...fresh];
  const unpaired = gone.filter((test) => {
    const same = left.findIndex((other) => other.title === test.title);
    if (same >= 0) left.splice(same, 1);
    return same < 0;
  });
  return [unpaired, left];
}

/** Test files that were removed, and fewer tests in one that stays. */
export function findLostTests(reads: readonly ReadChange[], balances: readonly TestBalance[], spec: TaskSpec): Finding[] {
  const names = declaredNames(reads);
  const findings = balances.flatMap((balance) => judgeBalance(balance, names, spec));
  const judged = new Set(balances.map(({ read }) => read));
  return [...findings, ...reads.filter((read) => !judged.has(read)).flatMap((read) => judgeUnread(read, reads, spec))];
}

function judgeBalance(balance: TestBalance, names: ReadonlySet<string>, spec: TaskSpec): Finding[] {
  const { read, gone, fresh } = balance;
  const { path, kind } = read.change;
  const lost = gone.length - fresh.length;
  if (lost <= 0 || (kind === "deleted" && coversAny(spec.deletes, path))) return [];
  const named = quoteLine(gone.map(({ title }) => title || "a test").join("; "));
  const found = kind === "deleted" ? `the test file was deleted with ${count(gone.length)}: ${named}` : `${count(lost)} fewer: ${named}`;
  const why = "what a test held the code to is not held any more; a change may add tests, not take them away";
  const along = gone.filter((test) => mentions(test, names)).length;
  if (lost - along <= 0) return [noted(path, found, "these tests name what the same change removed from the source")];
  if (becameTable(balance)) return [noted(path, found, "the same change puts rows of a table in their place")];
  const hint =
    kind === "deleted"
      ? "put the file back; if it is to go, the lead must name it under deletes in the spec"
      : "put the tests back and mend the code until they pass; if one is wrong, correct it and keep its number";
  return [blocked({ path, found, why, hint })];
}

function count(tests: number): string {
  return tests === 1 ? "1 test" : `${tests} tests`;
}

function mentions({ block }: TestCase, names: ReadonlySet<string>): boolean {
  return block.some(({ bare }) => (bare.match(/[A-Za-z_$][\w$]*/g) ?? []).some((word) => names.has(word)));
}

/** Many tests became one test over at least as many rows. */
export function becameTable({ read, gone, fresh }: TestBalance): boolean {
  const dialect = dialectOf(read.change.path, read.language);
  const added = read.added.flat();
  if (dialect === undefined || gone.length <= fresh.length || !added.some(({ code }) => dialect.table.test(code))) return false;
  const rows = added.filter(({ bare }) => /^\s*(?:[[({"'`]|#\[case|pytest\.param\()/.test(bare));
  return rows.length > gone.length - fresh.length;
}

/** A test file of a language whose tests are not told apart. */
function judgeUnread(read: ReadChange, reads: readonly ReadChange[], spec: TaskSpec): Finding[] {
  const { path, kind } = read.change;
  if (kind !== "deleted" || !isTestName(path) || coversAny(spec.deletes, path)) return [];
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (reads.some(({ change }) => change.kind === "added" && change.path.endsWith(`/${name}`))) return [];
  return [
    blocked({
      path,
      found: "the test file was deleted",
      why: "what a test held the code to is not held any more",
      hint: "put the file back; if it is to go, the lead must name it under deletes in the spec",
    }),
  ];
}
