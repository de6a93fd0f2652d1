import { resolve } from "node:path";
import { hasBlocking } from "@dispatch/core";
import { version } from "@dispatch/protocol";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";
import { catchInterruption } from "../interruption.ts";
import { gateLines, gateSummary } from "../render/gate-lines.ts";

export interface GateInput {
  repo: string | undefined;
  base: string | undefined;
  head: string;
  spec: string | undefined;
  run: boolean | undefined;
  format: "text" | "json" | "sarif";
}

/** `dispatch gate`: 0 nothing blocks, 1 something does, 2 there is nothing to judge. */
export async function gateChange(context: CommandContext, { repo, base, head, spec, run, format }: GateInput): Promise<number> {
  const { terminal, cwd } = context;
  const { gateChange: gate, gateJson, gateSarif } = await import("@dispatch/controller");
  const interruption = catchInterruption();
  try {
    const report = await gate({
      repo: repo === undefined ? cwd : resolve(cwd, repo),
      head,
      ...(base === undefined ? {} : { base }),
      ...(spec === undefined ? {} : { spec }),
      ...(run === undefined ? {} : { run }),
      signal: interruption.signal,
      say: (line) => terminal.note([line]),
    });
    if (format === "sarif") terminal.json(gateSarif(report, version));
    else if (format === "json") terminal.json(gateJson(report));
    else terminal.out([...gateLines(report, terminal.view()), gateSummary(report, terminal.paint)]);
    return hasBlocking(report.findings) ? exitCodes.failed : exitCodes.ok;
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    terminal.note(["interrupted; what was checked out for it is gone"]);
    return exitCodes.interrupted;
  } finally {
    interruption.release();
  }
}
