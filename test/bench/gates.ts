import { defaultGatePolicy, type Finding, type GateId } from "@dispatch/core";
import { blobsToRead, judgeChange, parseDiff } from "@dispatch/gates";
import { aSpec, changeCases } from "../golden/changes/index.ts";
import { type DiffBench, openDiffBench } from "../golden/changes/real-diff.ts";
import { atLeast, atMost, type Benchmark, median, type Outcome, type Row } from "./benchmark.ts";
import { type CleanCommit, cleanCommits } from "./gates-commits.ts";
import { plantDefects, plants } from "./gates-plants.ts";
import { voices } from "./gates-voices.ts";

const policy = { ...defaultGatePolicy, contracts: ["SHARED.md"], maxFileBytes: 20_000 };

/** What blocks each commit, from real diffs. */
export function judgeCommits(bench: DiffBench, commits: readonly CleanCommit[]): Finding[][] {
  const diffs = bench.diffAll(commits.map(({ before, after }) => [before, after]));
  const parsed = diffs.map(parseDiff);
  const texts = bench.read([...new Set(parsed.flatMap((changes) => blobsToRead(changes, policy.contracts)))]);
  return parsed.map((changes, i) => {
    const findings = judgeChange({ spec: aSpec(commits[i]?.spec), changes, texts, verify: null, policy });
    return findings.filter(({ severity }) => severity === "block");
  });
}

interface Score {
  gate: GateId;
  planted: number;
  missed: readonly string[];
  /** Clean commits that it stops. */
  alarms: number;
}

export interface Judged {
  clean: number;
  scores: readonly Score[];
  alarms: readonly string[];
}

/** The generated commits, clean and with defects, judged. `every` takes only each n-th planted one: six thousand take a minute. */
export function judgeGenerated(bench: DiffBench, every = 1): Judged {
  const commits = cleanCommits();
  const verdicts = judgeCommits(bench, commits);
  const alarms = verdicts.flatMap((found, i) => found.map((finding) => ({ finding, commit: commits[i] })));
  const planted = plantDefects(commits).filter((_, i) => i % every === 0);
  const found = judgeCommits(
    bench,
    planted.map(({ commit }) => commit),
  );
  const missed = planted.filter(({ gate, path }, i) => !found[i]?.some((finding) => finding.gate === gate && finding.path === path));
  const gates = [...new Set(plants.map(({ gate }) => gate))];
  return {
    clean: commits.length,
    scores: gates.map((gate) => ({
      gate,
      planted: planted.filter((each) => each.gate === gate).length,
      missed: missed.filter((each) => each.gate === gate).map(({ defect, commit }) => `${defect}, in ${nameOf(commit)}`),
      alarms: new Set(alarms.filter(({ finding }) => finding.gate === gate).map(({ commit }) => commit)).size,
    })),
    alarms: alarms.map(
      ({ finding, commit }) =>
        `${finding.gate} ${finding.path}:${finding.line ?? "-"} ${finding.found}, in ${commit === undefined ? "" : nameOf(commit)}`,
    ),
  };
}

function nameOf({ shape, voice, name }: CleanCommit): string {
  return `${shape} (${voice.language}, ${name})`;
}

/** A change of two thousand lines, half of them tests, in five languages. */
function largeChange(bench: DiffBench) {
  const before: Record<string, string> = {};
  const after: Record<string, string> = {};
  for (const voice of voices) {
    const parts = Array.from({ length: 40 }, (_, i) => voice.fn(`part${i}`, i));
    const tests = Array.from({ length: 40 }, (_, i) => voice.test(`adds part number ${i}`, `part${i}`, [{ given: 1, gives: 1 + i }]));
    before[voice.testPath("parts")] = voice.testFile("parts", tests.slice(0, 8));
    after[voice.testPath("parts")] = voice.testFile("parts", tests);
    after[voice.source("parts")] = voice.file("parts", parts);
  }
  const diff = bench.diff(before, after);
  const lines = parseDiff(diff).reduce((sum, change) => sum + change.addedLines.length + change.removedLines.length, 0);
  const judge = () => judgeChange({ spec: aSpec(), changes: parseDiff(diff), texts: new Map(), verify: null, policy });
  return { lines, judge };
}

function measureLarge(bench: DiffBench, rounds: number): { lines: number; times: number[] } {
  const { lines, judge } = largeChange(bench);
  const times: number[] = [];
  for (let i = -3; i < rounds; i++) {
    const start = process.cpuUsage();
    judge();
    const { user, system } = process.cpuUsage(start);
    if (i >= 0) times.push((user + system) / 1000);
  }
  return { lines, times };
}

export const gates: Benchmark = {
  name: "gates",
  tells: "planted defects that the gates catch, clean commits that they stop, and the time for a change of two thousand lines",
  rounds: 20,
  measure(rounds, say): Promise<Outcome> {
    const bench = openDiffBench();
    try {
      const { clean, scores, alarms } = judgeGenerated(bench, 3);
      for (const { gate, planted, missed, alarms: stopped } of scores) {
        say(`${gate}  caught ${planted - missed.length}/${planted}  false alarms ${stopped}/${clean}`);
        for (const what of missed.slice(0, 20)) say(`     missed: ${what}`);
      }
      for (const alarm of alarms) say(`     false alarm: ${alarm}`);
      const { lines, times } = measureLarge(bench, rounds);
      const planted = scores.reduce((sum, score) => sum + score.planted, 0);
      const missed = scores.reduce((sum, score) => sum + score.missed.length, 0);
      const stopped = new Set(alarms.map((alarm) => alarm.slice(alarm.lastIndexOf(", in ")))).size;
      const rows: Row[] = [
        { what: `defects caught of ${planted}`, unit: "", values: [planted - missed] },
        { what: `clean commits stopped of ${clean}`, unit: "", values: [stopped] },
        { what: `a change of ${lines} lines judged`, unit: "ms of processor", values: times },
      ];
      return Promise.resolve({
        rows,
        figures: { planted, caught: planted - missed, clean, alarms: stopped, largeMs: median(times) },
        goals: [
          atLeast("planted defects caught, %", (100 * (planted - missed)) / planted, 100),
          atMost("clean commits stopped", stopped, 0),
          atLeast("clean commits judged", clean, 200),
          atMost("a change of two thousand lines, ms of processor", median(times), 100),
        ],
        notes: [`test/golden/changes holds ${changeCases.length} more cases by hand, each with the findings expected; vitest judges them`],
      });
    } finally {
      bench.remove();
    }
  },
};
