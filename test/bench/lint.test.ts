import { expect, test } from "vitest";
import { falseAlarms, sampleFindings, scoreOperators } from "./lint.ts";
import { demoProject, goodProjects, planFindings, templateProjects } from "./lint-projects.ts";

const projects = goodProjects();

test("good specs, those of the demo and the template of init give no alarm", () => {
  expect(falseAlarms([...projects, demoProject(), ...templateProjects()]).alarms).toEqual([]);
});

test("of what the operators break, 95 of 100 errors and 90 of 100 warnings are found, and something by each", () => {
  const scores = scoreOperators(projects);
  expect(scores).toHaveLength(20);
  for (const { operator, all, missed } of scores) expect(all - missed.length, operator.name).toBeGreaterThan(0);
  for (const [level, least] of [
    ["E", 0.95],
    ["W", 0.9],
  ] as const) {
    const mine = scores.filter(({ operator }) => operator.level === level);
    const all = mine.reduce((sum, score) => sum + score.all, 0);
    const missed = mine.flatMap((score) => score.missed);
    expect((all - missed.length) / all, missed.join("; ")).toBeGreaterThanOrEqual(least);
  }
});

test("the sample of the strategy and a real plan give what was counted by hand", () => {
  expect(sampleFindings()).toEqual(["VER001 error fixable", "AC003 warning", "VER003 error"]);
  expect(planFindings("AC002").count).toBe(9);
  expect(planFindings("AMB001").count).toBe(4);
  expect(planFindings("AC003").tasks).toEqual(["P000", "P001", "P005", "P007"]);
});
