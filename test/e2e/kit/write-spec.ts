import { verify } from "./library.ts";

/** What a test says of a spec; the rest is as a person would leave it. */
export interface SpecInput {
  id: string;
  project: string;
  type?: string;
  modifies?: readonly string[];
  creates?: readonly string[];
  deletes?: readonly string[];
  dependsOn?: readonly string[];
  executor?: string;
  priority?: number;
  attempts?: number;
  verify?: string;
  goal?: string;
  /** Command of its acceptance items. Default: what verifies the library. */
  check?: string;
  /** More lines of front matter. */
  more?: readonly string[];
}

/** The text of a spec that passes every rule. */
export function specText(input: SpecInput): string {
  const list = (values: readonly string[] = []): string => `[${values.map((value) => JSON.stringify(value)).join(", ")}]`;
  const lines = [
    "---",
    `task_id: ${input.id}`,
    `project: ${input.project}`,
    `type: ${input.type ?? "feature"}`,
    `priority: ${input.priority ?? 2}`,
    `depends_on: ${list(input.dependsOn)}`,
    `modifies: ${list(input.modifies)}`,
    `creates: ${list(input.creates)}`,
    ...(input.deletes === undefined ? [] : [`deletes: ${list(input.deletes)}`]),
    ...(input.executor === undefined ? [] : [`executor: ${input.executor}`]),
    ...(input.attempts === undefined ? [] : [`attempts: ${input.attempts}`]),
    ...(input.verify === undefined ? [] : [`verify: ${JSON.stringify(input.verify)}`]),
    ...(input.more ?? []),
    "estimate_min: 5",
    "---",
    "",
    "## Goal",
    "",
    input.goal ?? `Write what ${input.id} is about into ${[...(input.modifies ?? []), ...(input.creates ?? [])].join(" and ")}.`,
    "",
    "## Acceptance",
    "",
    // As verify runs it anyway, it is not run again.
    `- [ ] the tests pass: \`${input.check ?? verify}\` -> exit 0`,
    `- [ ] wrong input is refused: \`${input.check ?? verify}\` -> exit 0`,
    "",
    "## Do not",
    "",
    "- no new dependency",
    "",
  ];
  return lines.join("\n");
}
