import type { Finding } from "@dispatch/core";
import type { ChangedLine } from "../change.ts";
import { quoteLine } from "../clean-output.ts";
import type { ReadChange } from "../read-change.ts";
import { blocked } from "./finding.ts";

const coverageFile =
  /(?:^|\/)(?:(?:jest|vitest|vite|karma|wallaby|nyc)\.config\.\w+|vitest\.workspace\.\w+|package\.json|\.nycrc(?:\.\w+)?|\.c8rc(?:\.json)?|\.coveragerc|pyproject\.toml|setup\.cfg|tox\.ini|pytest\.ini|\.?codecov\.ya?ml|pom\.xml|build\.gradle(?:\.kts)?|tarpaulin\.toml|Makefile|justfile|noxfile\.py|[\w.-]+\.csproj|Directory\.Build\.props)$/i;
const threshold =
  /["']?\b(branches|functions|lines|statements|fail[_-]under|cov-fail-under|minimum|min_coverage|fail-under-lines|fail-under|threshold|Threshold|check-coverage|target)\b["']?\s*(?:[:=]|>|\s)\s*["']?(\d+(?:\.\d+)?|true|false)/;

const checkFile =
  /(?:^|\/)(?:\.?eslint(?:rc)?[\w.-]*|biome\.jsonc?|\.oxlintrc\.json|tsconfig[\w.-]*\.json|jsconfig\.json|pyproject\.toml|setup\.cfg|mypy\.ini|\.?ruff\.toml|\.flake8|\.pylintrc|clippy\.toml|Cargo\.toml|\.golangci\.ya?ml|checkstyle[\w.-]*\.xml|\.editorconfig|\.stylelintrc[\w.]*|Directory\.Build\.props|[\w.-]+\.csproj|\.swiftlint\.yml|detekt[\w.-]*\.yml|\.rubocop\.yml)$/;
const setting =
  /^\s*["'<]?([@\w][\w@/.:-]*)["'>]?\s*(?:[:=>])\s*\[?\s*["']?(error|deny|forbid|warn|warning|off|allow|true|false|on|2|1|0|enable|disable)\b/i;
const strength: Readonly<Record<string, number>> = {
  error: 2,
  deny: 2,
  forbid: 2,
  "2": 2,
  true: 2,
  on: 2,
  enable: 2,
  warn: 1,
  warning: 1,
  "1": 1,
  off: 0,
  allow: 0,
  false: 0,
  "0": 0,
  disable: 0,
};
/** Settings whose `true` loosens. */
const loosens = /^(?:skipLibCheck|allow\w*|ignore_?\w*|suppress\w*|noEmitOnError|passWithNoTests|continue\w*|disable\w*|no_?strict\w*)$/i;

/** Thresholds of coverage that were lowered, and checks that were turned off, in files that configure them. */
export function findLoweredSettings(reads: readonly ReadChange[]): Finding[] {
  return reads.flatMap(({ change }) => {
    if (change.kind !== "modified") return [];
    return change.hunks.flatMap((hunk) => {
      const out = change.removedLines.filter(({ line }) => line >= hunk.oldStart && line < hunk.oldStart + hunk.oldLines);
      const into = change.addedLines.filter(({ line }) => line >= hunk.newStart && line < hunk.newStart + hunk.newLines);
      const findings: Finding[] = [];
      if (coverageFile.test(change.path)) findings.push(...loweredThresholds(change.path, out, into, hunk.newStart));
      if (checkFile.test(change.path)) findings.push(...weakenedChecks(change.path, out, into));
      return findings;
    });
  });
}

function loweredThresholds(path: string, out: readonly ChangedLine[], into: readonly ChangedLine[], at: number): Finding[] {
  return out.flatMap((line) => {
    const before = threshold.exec(line.text);
    const key = before?.[1] ?? "";
    if (before === null || (key === "target" && !/codecov/i.test(path))) return [];
    const now = into.find(({ text }) => threshold.exec(text)?.[1] === key);
    const after = threshold.exec(now?.text ?? "")?.[2];
    if (after !== undefined && amountOf(after) >= amountOf(before[2] ?? "")) return [];
    if (after === undefined && before[2] === "false") return [];
    const said =
      now === undefined ? `${quoteLine(line.text.trim())} was removed` : `${quoteLine(now.text.trim())} in place of ${quoteLine(line.text.trim())}`;
    return [
      blocked({
        path,
        line: now?.line ?? Math.max(1, at),
        found: said,
        why: "the demanded coverage was lowered",
        hint: "put the threshold back, and test what is not covered",
      }),
    ];
  });
}

function amountOf(text: string): number {
  return text === "true" ? 1 : text === "false" ? 0 : Number(text);
}

function weakenedChecks(path: string, out: readonly ChangedLine[], into: readonly ChangedLine[]): Finding[] {
  return out.flatMap((line) => {
    const [, key = "", value = ""] = setting.exec(line.text) ?? [];
    const now = into.find(({ text }) => setting.exec(text)?.[1] === key && key !== "");
    if (now === undefined) return [];
    const before = strength[value.toLowerCase()] ?? 0;
    const after = strength[(setting.exec(now.text)?.[2] ?? "").toLowerCase()] ?? 0;
    if (loosens.test(key) ? after <= before : after >= before) return [];
    return [
      blocked({
        path,
        line: now.line,
        found: `${quoteLine(now.text.trim())} in place of ${quoteLine(line.text.trim())}`,
        why: "a check of the linter or the compiler was turned down",
        hint: "put it back, and mend what it complains of",
      }),
    ];
  });
}
