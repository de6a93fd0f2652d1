import { formatProblem, hasErrors, type Problem } from "@dispatch/spec";
import { atLeast, atMost, type Benchmark, median, type Outcome, type Row } from "./benchmark.ts";
import { type Operator, operators } from "./lint-mutants.ts";
import { demoProject, goodProjects, problemsOf, problemsOfSample, type SpecProject, templateProjects } from "./lint-projects.ts";
import { lintThousand } from "./lint-thousand.ts";

interface Score {
  operator: Operator;
  all: number;
  missed: readonly string[];
}

/** The mutants of every operator, and which of them no rule sees. A rule sees one when it says something it did not say before. */
export function scoreOperators(projects: readonly SpecProject[]): Score[] {
  return operators.map((operator) => {
    let all = 0;
    const missed: string[] = [];
    for (const project of projects) {
      const before = new Set(problemsOf(project).map(formatProblem));
      for (const mutant of operator.mutate(project)) {
        all += 1;
        const found = problemsOf({ ...project, files: mutant.files }).filter(
          (problem) => operator.rules.includes(problem.id) && !before.has(formatProblem(problem)),
        );
        if (!(operator.level === "E" ? hasErrors(found) : found.length > 0)) missed.push(mutant.what);
      }
    }
    return { operator, all, missed };
  });
}

/** The demo keeps one pair apart by the lock alone, on purpose. */
function isMeant(problem: Problem): boolean {
  return problem.id === "MOD004" && problem.file.endsWith("/S05-test-schema.md");
}

/** Specs with problems among those that have nothing wrong with them. */
export function falseAlarms(projects: readonly SpecProject[]): { specs: number; alarms: readonly string[] } {
  const specs = projects.reduce((sum, { files }) => sum + files.size, 0);
  const alarms = projects.flatMap((project) => problemsOf(project).filter((problem) => !isMeant(problem)));
  return { specs, alarms: alarms.map(formatProblem) };
}

/** The sample of the first strategy, which is known to lack a verify field, its test file and a failure criterion. */
export function sampleFindings(): string[] {
  return problemsOfSample("clawmarketing/S01-schedule-schema.md", ["backend/schemas/post.py"]).map(
    ({ id, severity, fix }) => `${id} ${severity}${fix === undefined ? "" : " fixable"}`,
  );
}

/** Time of the processor, which other work on the machine does not lengthen. */
function processorMs(work: () => unknown): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

export const lint: Benchmark = {
  name: "lint",
  tells: "mutation score of the linter over twenty operators, false alarms on good specs, and the time for a thousand specs",
  rounds: 3,
  measure(rounds, say): Promise<Outcome> {
    const projects = goodProjects();
    const scores = scoreOperators(projects);
    say(`${projects.reduce((sum, { files }) => sum + files.size, 0)} good specs in ${projects.length} projects`);
    for (const { operator, all, missed } of scores) {
      say(`${operator.level}  ${operator.name.padEnd(40)} ${all - missed.length}/${all}  ${operator.rules.join(", ")}`);
      for (const what of missed) say(`     missed: ${what}`);
    }
    const share = (level: Operator["level"]) => {
      const mine = scores.filter(({ operator }) => operator.level === level);
      const all = mine.reduce((sum, score) => sum + score.all, 0);
      return (100 * (all - mine.reduce((sum, score) => sum + score.missed.length, 0))) / all;
    };
    const { specs, alarms } = falseAlarms([...projects, demoProject(), ...templateProjects()]);
    for (const alarm of alarms) say(`false alarm: ${alarm}`);
    const times: number[] = [];
    const thousand = lintThousand();
    for (let i = 0; i <= rounds; i++) times.push(processorMs(() => thousand.run()));
    times.shift();
    const rows: Row[] = [
      { what: "E mutants found", unit: "%", values: [share("E")] },
      { what: "W mutants found", unit: "%", values: [share("W")] },
      { what: `problems in ${specs} good specs`, unit: "", values: [alarms.length] },
      { what: "1,000 specs linted together", unit: "ms of processor", values: times },
    ];
    const alarmed = (100 * new Set(alarms.map((alarm) => alarm.split(":", 1)[0])).size) / specs;
    return Promise.resolve({
      rows,
      figures: { mutantsE: share("E"), mutantsW: share("W"), alarms: alarms.length, thousandMs: median(times) },
      goals: [
        atLeast("mutation score of E operators, %", share("E"), 95),
        atMost("good specs with a false alarm, %", alarmed, 2),
        atMost("lint of 1,000 specs, ms of processor", median(times), 2000),
      ],
      notes: [`the sample of the strategy gives ${sampleFindings().join(", ")}`, `mutants in all: ${scores.reduce((sum, { all }) => sum + all, 0)}`],
    });
  },
};
