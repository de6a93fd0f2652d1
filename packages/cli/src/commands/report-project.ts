import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { FactoryError } from "@dispatch/core";
import type { ReportView } from "@dispatch/protocol";
import { type CommandContext, clientOf } from "../command-context.ts";
import { projectPath } from "../daemon-client.ts";
import { exitCodes } from "../exit-codes.ts";
import { plainPaint } from "../render/paint.ts";
import { reportLines } from "../render/report-lines.ts";
import { reportMarkdown } from "../render/report-markdown.ts";
import type { View } from "../render/view.ts";

export interface ReportInput {
  project: string;
  format: "terminal" | "md" | "json";
  output: string | undefined;
}

const fileColumns = 120;

/** `dispatch report PROJECT [--md|--json] [-o FILE]` */
export async function reportProject(context: CommandContext, input: ReportInput): Promise<number> {
  const { terminal } = context;
  const client = await clientOf(context);
  const report = await client.get<ReportView>(projectPath(input.project, "/report"));
  if (input.output === undefined) {
    terminal.out(linesOf(report, input.format, terminal.view()));
    return exitCodes.ok;
  }
  const file = resolve(context.cwd, input.output);
  const lines = linesOf(report, input.format, { ...terminal.view(), columns: fileColumns, paint: plainPaint });
  try {
    await writeFile(file, `${lines.join("\n")}\n`);
  } catch (cause) {
    throw new FactoryError("USAGE", `${file} cannot be written: ${(cause as Error).message}`, {
      fault: "user",
      hint: "name a file in a folder that exists",
      cause,
    });
  }
  terminal.note([`wrote ${file}`]);
  return exitCodes.ok;
}

function linesOf(report: ReportView, format: ReportInput["format"], view: View): string[] {
  switch (format) {
    case "terminal":
      return reportLines(report, view);
    case "md":
      return reportMarkdown(report);
    case "json":
      return [JSON.stringify(report, null, 2)];
  }
}
