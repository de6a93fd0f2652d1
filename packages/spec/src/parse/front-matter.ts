import { projectIdPattern, specIdPattern, waivableGates } from "@dispatch/core";
import * as z from "zod";
import type { ProblemCode } from "../problem.ts";
import { lineOf, listOf, mapOf, mustBe, oneOf, positiveNumber, says, show, textOf, wholeNumber, yesOrNo } from "./field-schemas.ts";

export const taskTypes = ["feature", "bugfix", "refactor", "test", "docs", "chore", "contract", "plan", "research", "integration", "stage"] as const;

const exampleId = "use letter+number+slug, e.g. S01-schedule-schema";
const specId = z
  .string(mustBe(`a spec id; ${exampleId}`))
  .trim()
  .max(
    64,
    says((input) => `${show(input)} is longer than 64 characters`),
  )
  .regex(
    specIdPattern,
    says((input) => `${show(input)} is not valid; ${exampleId}`),
  );
const path = lineOf("a path", 300);
const paths = listOf(path, "paths");
const names = listOf(lineOf("a name", 100), "names");

const command = mapOf({
  run: textOf("a command"),
  expect: lineOf("what the command shows, e.g. exit 0").optional(),
  cwd: path.optional(),
  timeout_s: wholeNumber(1, 86_400, mustBe("a whole number of seconds from 1 to 86400")).optional(),
  env: z.record(z.string(), z.string(mustBe("a text"))).optional(),
});
const verifyRule = says((input) =>
  input === ""
    ? "is no verify command; add e.g. verify: pytest tests/x.py"
    : `must be a command, a list of commands, or maps with run; got ${show(input)}`,
);
const oneVerify = z.union([textOf("a command; e.g. verify: pytest tests/x.py"), command], verifyRule);

const acceptanceItem = z.union(
  [
    lineOf("a criterion", 1000),
    mapOf({
      id: lineOf("an id", 20).optional(),
      text: lineOf("a criterion", 1000),
      verify: textOf("a command").optional(),
      kind: lineOf("a kind", 40).optional(),
    }),
  ],
  mustBe("a text or a map with id, text, verify, kind"),
);

const lines = listOf(lineOf("a line", 2000), "lines");
const scenario = mapOf({
  name: lineOf("the scenario's name"),
  tool: lineOf("the scenario's tool"),
  preconditions: textOf("a text").optional(),
  setup: lines.optional(),
  steps: lines,
  asserts: lines.optional(),
  teardown: lines.optional(),
  expected: textOf("the expected result"),
  evidence: path.optional(),
});

const assumption = z.union(
  [textOf("an assumption"), mapOf({ text: textOf("an assumption"), reversible: yesOrNo().optional(), source: lineOf("a source").optional() })],
  mustBe("a text or a map with text, reversible, source"),
);

const commitForm = /^[a-z]+(\([^()\n]+\))?!?: \S[^\n]*$/;
const hidden = () => "must list names only, without values";
const envName = z.string({ error: hidden }).regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: ({ input }: { input?: unknown }) =>
    `must list names only${typeof input === "string" && input.includes("=") ? `, found a value for ${input.slice(0, input.indexOf("="))}` : ", such as STRIPE_API_KEY"}`,
});
const memorySize = /^\d+(\.\d+)? ?[MG](i?B)?$/i;
const mebibytes = (text: string): number => Math.ceil(Number.parseFloat(text) * (/g/i.test(text) ? 1024 : 1));
const minutes = (min: number, max: number) => wholeNumber(min, max, mustBe(`a whole number of minutes from ${min} to ${max}`));

/** Every field of a spec's front matter: what may stand there and which rule it breaks otherwise. `x-*` keys may stand beside them. */
export const specFrontMatter = z.looseObject({
  task_id: specId.optional(),
  id: specId.optional(),
  project: z
    .string(mustBe("a project's name"))
    .trim()
    .max(40, mustBe("a name of at most 40 characters"))
    .regex(projectIdPattern, mustBe("lower-case letters, digits and single dashes"))
    .optional(),
  title: lineOf("a title", 10_000)
    .max(
      120,
      says((input) => `is ${typeof input === "string" ? input.length : 0} characters; keep it under 120`),
    )
    .optional(),
  type: oneOf(taskTypes).optional(),
  priority: z.union([z.enum(["0", "1", "2", "3", "P0", "P1", "P2", "P3"]), z.int().min(0).max(3)], mustBe("0..3 or P0..P3")).optional(),
  modifies: paths.optional(),
  creates: paths.optional(),
  deletes: paths.optional(),
  forbids: paths.optional(),
  reads: paths.optional(),
  depends_on: listOf(specId, "spec ids, such as [S01-schema, S02-api]").optional(),
  after: listOf(specId, "spec ids, such as [S01-schema, S02-api]").optional(),
  verify: z
    .union(
      [
        oneVerify.transform((value) => [value]),
        z.array(oneVerify).min(
          1,
          says(() => "has no verify command; add e.g. verify: pytest tests/x.py"),
        ),
      ],
      verifyRule,
    )
    .optional(),
  executor: lineOf("an executor's name", 60).optional(),
  tier: oneOf(["cheap", "standard", "strong"]).optional(),
  skills: names.optional(),
  estimate_min: minutes(1, 120).optional(),
  timeout_min: minutes(1, 1440).optional(),
  attempts: wholeNumber(1, 4, mustBe("1..4 (first try + at most 3 retries)")).optional(),
  allow_empty: yesOrNo().optional(),
  contract: listOf(lineOf("a reference", 300), "references, such as SHARED_CONTEXT.md#POST /x").optional(),
  context: paths.optional(),
  acceptance: z.array(acceptanceItem, mustBe("a list of criteria")).optional(),
  qa: z.array(scenario, mustBe("a list of scenarios")).optional(),
  evidence: paths.optional(),
  tests_min: mapOf({
    unit: wholeNumber(0, 10_000).optional(),
    ui: wholeNumber(0, 10_000).optional(),
    e2e: wholeNumber(0, 10_000).optional(),
  }).optional(),
  requires: names.optional(),
  questions: names.optional(),
  assumptions: z.array(assumption, mustBe("a list of {text, reversible, source}")).optional(),
  review: oneOf(["none", "sample", "model", "human"]).optional(),
  checkpoint: oneOf(["none", "before", "after"]).optional(),
  commit: lineOf("a commit subject", 200)
    .regex(
      commitForm,
      says((input) => `${show(input)} is not type(scope): subject`),
    )
    .optional(),
  budget: mapOf({ tokens: positiveNumber().optional(), usd: positiveNumber().optional(), turns: wholeNumber(1, 100_000).optional() }).optional(),
  resources: mapOf({
    cpu: positiveNumber().optional(),
    memory: z
      .union([wholeNumber(1, 16_777_216), z.string().regex(memorySize).transform(mebibytes)], mustBe("MiB or a size, such as 512M or 8G"))
      .optional(),
    gpu: wholeNumber(0, 64).optional(),
  }).optional(),
  nodes: listOf(lineOf("a node's name", 60), "names of nodes.json").optional(),
  node_labels: listOf(lineOf("a label", 60), "labels of nodes.json").optional(),
  network: z
    .union(
      [yesOrNo(), z.array(lineOf("a host", 253).regex(/^[^/\s]+$/, mustBe("a host name, such as api.stripe.com")))],
      mustBe("true, false or a list of hosts"),
    )
    .optional(),
  env: z.union([envName.transform((name) => [name]), z.array(envName)], { error: hidden }).optional(),
  direction: lineOf("an id").optional(),
  parent: lineOf("an id").optional(),
  source: mapOf({
    file: path,
    lines: lineOf("lines, such as 12-20", 40).optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, mustBe("64 hex digits"))
      .optional(),
  }).optional(),
  labels: listOf(
    z.string(mustBe("a label")).regex(
      /^[a-z0-9]+(-[a-z0-9]+)*$/,
      says((input) => `${show(input)} must be kebab-case`),
    ),
    "labels",
  ).optional(),
  waivers: z
    .array(
      mapOf({
        gate: oneOf(waivableGates),
        paths: z.array(path, mustBe("a list of paths")).min(1, mustBe("a list of paths")),
        because: lineOf("the reason", 500),
      }),
      mustBe("a list of maps with gate, paths, because"),
    )
    .optional(),
  lang: oneOf(["zh", "en"]).optional(),
});

export type FrontMatter = z.output<typeof specFrontMatter>;
export type FieldName = keyof typeof specFrontMatter.shape & string;

/** The rule of planning 2.2 that a bad value of the field breaks. */
export const fieldCodes: Readonly<Record<FieldName, ProblemCode>> = {
  task_id: "F01",
  id: "F01",
  project: "F02",
  modifies: "F03",
  creates: "F04",
  deletes: "F05",
  forbids: "F06",
  reads: "F07",
  depends_on: "F08",
  after: "F09",
  verify: "F10",
  title: "F11",
  type: "F12",
  priority: "F13",
  executor: "F14",
  tier: "F15",
  skills: "F16",
  estimate_min: "F17",
  timeout_min: "F18",
  attempts: "F19",
  allow_empty: "F19",
  contract: "F20",
  context: "F21",
  acceptance: "F22",
  qa: "F23",
  evidence: "F24",
  tests_min: "F25",
  requires: "F26",
  questions: "F27",
  assumptions: "F28",
  review: "F29",
  checkpoint: "F30",
  commit: "F31",
  budget: "F32",
  resources: "F37",
  nodes: "F38",
  node_labels: "F38",
  network: "F33",
  env: "F34",
  direction: "F35",
  parent: "F35",
  source: "F35",
  labels: "F36",
  waivers: "F39",
  lang: "F36",
};

/** JSON Schema of the front matter as a person types it, for editors and for models that write specs. */
export function specFrontMatterSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(specFrontMatter, { io: "input" }), title: "Front matter of a Dispatch spec", patternProperties: { "^x-": {} } };
}
