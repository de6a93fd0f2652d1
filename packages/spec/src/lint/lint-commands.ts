import { coversAny, patternProblem } from "@dispatch/core";
import { namedFiles } from "../facts/command-files.ts";
import { readCommands, type SimpleCommand } from "../facts/read-commands.ts";
import type { SpecNode } from "../facts/spec-graph.ts";
import type { Problem } from "../problem.ts";
import { looksLikeCommand } from "../shell-words.ts";
import { suggestPath } from "../suggest-nearest.ts";
import { createsPath, type LintCase } from "./lint-case.ts";
import { problemAt } from "./lint-facts.ts";
import { lintPrograms } from "./lint-programs.ts";

/** A command of the spec, and the part of the file that holds it. */
export interface Check {
  part: string;
  /** How messages call it. */
  name: string;
  commands: readonly SimpleCommand[];
}

/** The verify commands and those of the criteria. */
export function checksOf({ file }: LintCase): Check[] {
  const { spec, document } = file.parsed;
  const verify = spec.verify.map((command, i): Check => ({ part: `verify[${i}]`, name: "verify", commands: readCommands(command.run, command.cwd) }));
  const criteria = document.acceptance.flatMap((item, i): Check[] =>
    item.command !== undefined && looksLikeCommand(item.command, "likely")
      ? [{ part: `acceptance[${i}]`, name: item.id, commands: readCommands(item.command) }]
      : [],
  );
  return [...verify, ...criteria];
}

/** VER002 and VER003: commands name only scripts, programs, tests and files that are there when they run. */
export function lintCommands(given: LintCase): Problem[] {
  if (given.uncertain || given.project === undefined) return [];
  const checks = checksOf(given);
  return [...lintPrograms(given, given.project, checks), ...lintFiles(given, checks)];
}

function lintFiles(given: LintCase, checks: readonly Check[]): Problem[] {
  const { project, file } = given;
  const index = project?.index;
  if (index === undefined || index === null) return [];
  const { spec } = file.parsed;
  const own = [...spec.modifies, ...spec.creates].filter((entry) => patternProblem(entry) === undefined);
  const told = new Set<string>();
  const made = new Set(checks.flatMap(({ commands }) => commands.flatMap((command) => [...command.outputs, ...outputsOf(command)])));
  return checks.flatMap((check) =>
    check.commands.flatMap((command) =>
      namedFiles(command).flatMap(({ path, loose }): Problem[] => {
        const there =
          index.holds(path) ||
          coversAny(own, path) ||
          createsPath(spec, path) ||
          made.has(path) ||
          (loose && index.files.some((each) => each.includes(path))) ||
          given.ancestors().some((node) => createsPath(node, path));
        if (there || told.has(path)) return [];
        told.add(path);
        return [missing(given, check, { path, loose })];
      }),
    ),
  );
}

/** What a command says it makes: a file it checks later need not be there before. */
function outputsOf({ words }: SimpleCommand): string[] {
  return words.flatMap(({ text }, i) => (/^(?:-o|--output|--out|--outfile)$/.test(text) ? [(words[i + 1]?.text ?? "").replace(/^\.\//, "")] : []));
}

function missing(given: LintCase, check: Check, { path, loose }: { path: string; loose: boolean }): Problem {
  const { file, graph, key, project } = given;
  const { spec } = file.parsed;
  const maker = [...graph.nodes.values()].find((node) => node.project === spec.project && node.key !== key && createsPath(node, path));
  if (maker === undefined) {
    const near = suggestPath(path, project?.index?.files ?? []);
    const nearest = near === undefined ? "" : `; nearest: ${near}`;
    return problemAt(file, {
      id: loose ? "VER002" : "VER003",
      code: loose ? "test-path-unknown" : "check-file-unknown",
      part: check.part,
      message: `${check.name}: ${path} exists neither now nor in creates${nearest}; if this spec makes it, add it to creates`,
    });
  }
  return foreign(given, check, path, maker);
}

function foreign({ file, graph, key }: LintCase, check: Check, path: string, maker: SpecNode): Problem {
  const later = graph.order.isBefore(key, maker.key);
  const relation = later ? "which depends on this spec; own it here or move the check" : "which is not in depends_on; add it, or own the file here";
  return problemAt(file, {
    id: "VER003",
    code: "check-file-foreign",
    part: check.part,
    message: `${check.name}: ${path} is made by ${maker.specId}, ${relation}`,
  });
}
