import type { AuditReport, ProjectAudit } from "@dispatch/controller";
import { expect, test } from "vitest";
import { aView } from "../testing/sample-views.ts";
import { auditLines } from "./audit-lines.ts";

const whole: ProjectAudit = { project: "shop", violations: [], notes: [], counts: { merged: 12, landings: 13, works: 19, refs: 20, pruned: 0 } };
const lines = (...projects: ProjectAudit[]): string[] => {
  const report: AuditReport = { whole: projects.every(({ violations }) => violations.length === 0), projects };
  return auditLines(report, aView(80));
};

test("a whole factory says what was looked at", () => {
  expect(lines(whole, { ...whole, project: "tools", counts: { merged: 1, landings: 1, works: 1, refs: 1, pruned: 3 } })).toEqual([
    "shop: 12 merged tasks on main, 13 commits of main tested, 19 commits of attempts held, 20 refs",
    "tools: 1 merged task on main, 1 commit of main tested, 1 commit of attempts held, 1 ref, 3 let go of by policy",
    "whole: nothing is lost",
  ]);
  expect(lines()).toEqual(["there is nothing to audit: no project was started yet"]);
});

test("each violation and each note is a line", () => {
  const damaged: ProjectAudit = {
    ...whole,
    violations: [
      { kind: "work-lost", about: "shop--S01-a--1", text: "its salvage 1234 is not in the hub" },
      { kind: "objects-broken", about: "", text: "missing blob 1234" },
    ],
    notes: [{ kind: "unknown-attempt", about: "shop--S09-z--1", text: "the ledger does not know it" }],
  };
  expect(lines(damaged, { ...whole, project: "tools" })).toEqual([
    "shop violation work-lost shop--S01-a--1: its salvage 1234 is not in the hub",
    "shop violation objects-broken: missing blob 1234",
    "shop note unknown-attempt shop--S09-z--1: the ledger does not know it",
    "shop: 2 violations among 12 merged tasks, 13 commits of main, 19 commits of attempts, 20 refs",
    "tools: 12 merged tasks on main, 13 commits of main tested, 19 commits of attempts held, 20 refs",
    "2 violations",
  ]);
});
