import { expect, test } from "vitest";
import { examinationLines } from "./node-setup-lines.ts";
import { plainPaint } from "./paint.ts";

const view = { columns: 60, now: 0, paint: plainPaint, timeOf: () => "" };

test("each check stands on its line, the remedy below what is not ok, and what was not looked at at the end", () => {
  const checks = [
    { check: "port", level: "ok", says: "an SSH server answers at 22 in 3 ms", remedy: null },
    { check: "locale", level: "warn", says: "POSIX", remedy: "set LANG" },
    { check: "node.js", level: "fail", says: "none was found, neither on the PATH nor where installers put it", remedy: "install\u001b[2J one" },
    { check: "worker", level: "skip", says: "it has no Node.js", remedy: null },
  ] as const;
  expect(examinationLines({ node: "far", checks }, view)).toEqual([
    "far",
    "  ok   port     an SSH server answers at 22 in 3 ms",
    "  warn locale   POSIX",
    "                try: set LANG",
    "  fail node.js  none was found, neither on the PATH nor",
    "                where installers put it",
    "                try: install one",
    "  1 check failed, 1 warning; not looked at: worker",
  ]);
  expect(examinationLines({ node: "far", checks: checks.slice(0, 1) }, view).at(-1)).toBe("  ready");
});
