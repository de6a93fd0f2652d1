import type { AcceptanceCommand, DeclaredEvidence } from "@dispatch/core";
import { looksLikeCommand } from "../shell-words.ts";
import type { AcceptanceItem } from "./parse-acceptance.ts";
import type { QaScenario } from "./parse-scenarios.ts";

/** What follows an arrow may be prose; only what begins like a command is ever run. An ellipsis stands for what the writer left out. */
export function commandsOf(items: readonly AcceptanceItem[]): AcceptanceCommand[] {
  return items.flatMap(({ id, text, command, expected }) =>
    command === undefined || !looksLikeCommand(command, "likely") || /(?<![\w/.])\.\.\.|…/.test(command)
      ? []
      : [{ id, text, command, expected: expected ?? "" }],
  );
}

/** The path that a scenario names, else the folder of the spec. */
export function evidenceOf(scenarios: readonly QaScenario[], folders: readonly string[]): DeclaredEvidence[] {
  return scenarios.flatMap(({ name, evidence, kind }) => {
    const named = /(?:^|[\s`"'(])(evidence\/[\w@.-][\w@./-]*)/.exec(evidence)?.[1]?.replace(/[./]+$/, "");
    const path = named ?? folders[0];
    return path === undefined || path.split("/").includes("..")
      ? []
      : [{ scenario: name, path: path.replace(/\/+$/, ""), manual: kind === "manual-tool" }];
  });
}
