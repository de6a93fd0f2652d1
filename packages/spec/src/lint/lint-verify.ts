import { testRunnerOf } from "../facts/command-files.ts";
import { readCommands } from "../facts/read-commands.ts";
import type { Problem, Repair } from "../problem.ts";
import { isHistory, type LintCase } from "./lint-case.ts";
import { problemAt } from "./lint-facts.ts";

/** VER001 and VER004: there is a verify command, and it can tell work that is done from work that is not. */
export function lintVerify(given: LintCase): Problem[] {
  const vacuous = lintVacuous(given);
  return [...lintPresence(given), ...vacuous, ...(vacuous.length > 0 ? [] : lintPreflight(given))];
}

function lintPresence({ file, project }: LintCase): Problem[] {
  const { spec, problems } = file.parsed;
  if (spec.verify.length > 0 || project === undefined || project.hasVerify || problems.some((problem) => problem.code === "F10")) return [];
  const repair = liftVerify(file.parsed);
  return [
    problemAt(file, {
      id: "VER001",
      code: "verify-absent",
      part: "verify",
      message: "no verify command; the wrapper would have nothing to run. Add e.g. verify: pytest tests/x.py, or give the project one",
      ...(repair === undefined ? {} : { repair }),
    }),
  ];
}

const success = /^(?:exit(?: code)? 0|0|(?:is |are |all )*(?:green|pass(?:es)?|succeeds?|exits 0)|全绿|全部通过|通过|成功)[.。]?$/i;

/** The test commands of the criteria that must succeed: what they prove is what a verify command has to prove. */
function liftVerify({ document }: LintCase["file"]["parsed"]): Repair | undefined {
  if (document.given.has("verify")) return undefined;
  const runs = document.acceptance.flatMap(({ command, expected }) => {
    if (command === undefined || command.includes("\n") || (expected !== undefined && !success.test(expected))) return [];
    return readCommands(command).some((each) => testRunnerOf(each) !== undefined) ? [command] : [];
  });
  const unique = [...new Set(runs)];
  const [only] = unique;
  if (only === undefined) return undefined;
  return { do: "set", field: "verify", value: unique.length === 1 ? only : unique };
}

const idle = new Set(["true", ":", "echo", "printf", "exit", "sleep", "pwd", "date", "cd"]);

function lintVacuous(given: LintCase): Problem[] {
  const { verify } = given.file.parsed.spec;
  if (verify.length === 0 || !verify.every(({ run }) => provesNothing(run))) return [];
  const run = verify[0]?.run ?? "";
  return [
    problemAt(given.file, {
      id: "VER004",
      code: "verify-vacuous",
      part: "verify",
      message: `verify "${run.length > 40 ? `${run.slice(0, 37)}...` : run}" passes whatever the work is; it cannot prove this spec`,
    }),
  ];
}

/** Whether a command succeeds always: nothing but idle programs, or a failure that is swallowed at its end. */
function provesNothing(run: string): boolean {
  if (/(?:\|\||;)\s*(?:true|:|exit 0|echo\b[^|;&]*)\s*$/.test(run.slice(-200))) return true;
  const commands = readCommands(run);
  return (
    commands.length > 0 && commands.every(({ program, words }) => idle.has(program) && !(program === "exit" && !/^0?$/.test(words[1]?.text ?? "")))
  );
}

function lintPreflight(given: LintCase): Problem[] {
  const { file, facts, key } = given;
  const tried = facts.preflight?.get(key);
  if (tried?.outcome !== "passes" || isHistory(given)) return [];
  return [
    problemAt(file, {
      id: "VER004",
      code: "verify-passes",
      severity: file.parsed.spec.type === "bugfix" ? "error" : "warning",
      part: "verify",
      message: `verify passes before any work (${tried.command}); it cannot prove this spec`,
    }),
  ];
}
