import type { VerifyCommand } from "@dispatch/core";
import { patternProblem } from "@dispatch/core";
import type { FrontMatter } from "./front-matter.ts";

export const defaultVerifySeconds = 600;

export interface FieldComplaint {
  /** For example `verify[0].cwd`. */
  field: string;
  message: string;
}

/**
 * Verify commands as the worker runs them. A verify command is judged by its exit status alone, so an
 * expected status other than 0 becomes part of the command, and any other expectation is refused.
 */
export function readVerify(given: FrontMatter["verify"]): { verify: VerifyCommand[]; complaints: FieldComplaint[] } {
  const complaints: FieldComplaint[] = [];
  const verify = (given ?? []).map((entry, i): VerifyCommand => {
    if (typeof entry === "string") return { run: entry, cwd: ".", timeoutSeconds: defaultVerifySeconds, env: {} };
    const cwd = entry.cwd ?? ".";
    const wrong = cwd === "." ? undefined : patternProblem(cwd);
    if (wrong !== undefined) complaints.push({ field: `verify[${i}].cwd`, message: `"${cwd}" ${wrong}` });
    const bad = Object.keys(entry.env ?? {}).find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
    if (bad !== undefined) complaints.push({ field: `verify[${i}].env`, message: `"${bad}" is not the name of an environment variable` });
    const run = withExpectation(entry.run, entry.expect);
    if (run === undefined)
      complaints.push({
        field: `verify[${i}].expect`,
        message: `"${entry.expect}" cannot be checked; a verify command is judged by its exit status: write exit N, or test the output in run, e.g. run: "CMD | grep -qF TEXT"`,
      });
    return { run: run ?? entry.run, cwd, timeoutSeconds: entry.timeout_s ?? defaultVerifySeconds, env: entry.env ?? {} };
  });
  return { verify, complaints };
}

function withExpectation(run: string, expect: string | undefined): string | undefined {
  if (expect === undefined) return run;
  const status = /^(?:exit(?: code)?(?: is)?\s*)?(\d{1,3})$/i.exec(expect)?.[1];
  if (status === undefined || Number(status) > 255) return undefined;
  return Number(status) === 0 ? run : `(\n${run}\n); test $? -eq ${Number(status)}`;
}
