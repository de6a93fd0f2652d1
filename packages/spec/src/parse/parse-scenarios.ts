import type { Body } from "./split-sections.ts";

/** A scenario that a person, a shell or another tool goes through. */
export interface QaScenario {
  name: string;
  tool: string;
  /** `manual-tool` when it is not a shell that runs the steps. */
  kind: "shell" | "manual-tool";
  preconditions: string;
  setup: readonly string[];
  steps: readonly string[];
  asserts: readonly string[];
  teardown: readonly string[];
  expected: string;
  /** Path or sentence that says where the proof is kept; empty for the spec's evidence folder. */
  evidence: string;
  /** 1-based line in the file. */
  line: number;
}

const keys: readonly (readonly [RegExp, keyof Draft])[] = [
  [/^(scenario|场景)$/, "name"],
  [/^(tool|工具)$/, "tool"],
  [/^(preconditions?|前置条件)$/, "preconditions"],
  [/^(set-?up|准备)$/, "setup"],
  [/^(steps?|步骤)$/, "steps"],
  [/^(asserts?|断言)$/, "asserts"],
  [/^(tear-?down|清理)$/, "teardown"],
  [/^(expected|expected results?|预期结果|预期|期望结果)$/, "expected"],
  [/^(evidence|证据)$/, "evidence"],
];

const keyPattern = /^\s*(?:[-*+]\s+)?\**([A-Za-z][A-Za-z -]{2,15}|[\u4e00-\u9fff]{2,4})\**\s*[:：]\**\s*(.*)$/;
const stepPattern = /^\s*(?:\d+[.)、]|[-*+])\s+(.*)$/;
const shellTools = /bash|shell|\bsh\b|curl|docker|terminal|\bcli\b|npm|pytest|python|node|psql|redis|git|kubectl/i;

interface Draft {
  name: string[];
  tool: string[];
  preconditions: string[];
  setup: string[];
  steps: string[];
  asserts: string[];
  teardown: string[];
  expected: string[];
  evidence: string[];
  line: number;
}

/** Scenario blocks: in any fence that begins with one, also an escaped fence, and as plain text of QA sections. */
export function parseScenarios(body: Body): QaScenario[] {
  const scenarios: Draft[] = [];
  const fences = scenarioFences(body);
  const plain = new Set(body.sections.filter((section) => section.kind === "qa").flatMap((section) => section.lines.map(({ line }) => line)));
  let current: Draft | null = null;
  let part: Exclude<keyof Draft, "line"> = "steps";
  for (const { line, text, fence, mark } of body.lines) {
    if (mark || !(fence === 0 ? plain.has(line) : fences.has(fence))) {
      current = null;
      continue;
    }
    const key = keyOf(text);
    if (key?.part === "name") {
      current = { name: [], tool: [], preconditions: [], setup: [], steps: [], asserts: [], teardown: [], expected: [], evidence: [], line };
      scenarios.push(current);
    }
    if (current === null || text.trim() === "") continue;
    if (key === undefined) addLine(current[part], text);
    else {
      part = key.part;
      if (key.value !== "") current[part].push(key.value);
    }
  }
  return scenarios.map(finish);
}

export function scenarioKind(tool: string): QaScenario["kind"] {
  return shellTools.test(tool) ? "shell" : "manual-tool";
}

/** `Assert:` steps of a scenario, without the word. */
export function assertsOf(steps: readonly string[]): string[] {
  return steps.flatMap((step) => /^(?:assert|断言)\s*[:：]\s*(.+)$/is.exec(step)?.[1] ?? []);
}

function scenarioFences(body: Body): Set<number> {
  const seen = new Set<number>();
  const fences = new Set<number>();
  for (const { fence, mark, text } of body.lines) {
    if (fence === 0 || mark || seen.has(fence) || text.trim() === "") continue;
    seen.add(fence);
    if (keyOf(text)?.part === "name") fences.add(fence);
  }
  return fences;
}

function keyOf(text: string): { part: Exclude<keyof Draft, "line">; value: string } | undefined {
  const match = keyPattern.exec(text);
  const word = match?.[1]?.trim().toLowerCase();
  if (match === null || word === undefined) return undefined;
  const part = keys.find(([pattern]) => pattern.test(word))?.[1];
  return part === undefined || part === "line" ? undefined : { part, value: (match[2] ?? "").trim() };
}

/** A numbered or bulleted line starts an entry; any other line continues the entry above it. */
function addLine(entries: string[], text: string): void {
  const step = stepPattern.exec(text);
  if (step !== null || entries.length === 0) entries.push((step?.[1] ?? text).trim());
  else entries.push(`${entries.pop() ?? ""}\n${text.trim()}`);
}

function finish(draft: Draft): QaScenario {
  const tool = draft.tool.join(" ");
  return {
    name: draft.name.join(" "),
    tool,
    kind: scenarioKind(tool),
    preconditions: draft.preconditions.join("\n"),
    setup: draft.setup,
    steps: draft.steps,
    asserts: [...assertsOf(draft.steps), ...draft.asserts],
    teardown: draft.teardown,
    expected: draft.expected.join("\n"),
    evidence: draft.evidence.join("\n"),
    line: draft.line,
  };
}
