/** Raised when the sections or their order change; stands in every written spec as `x-template`. */
export const specTemplateVersion = 1;

export interface SpecTemplateInput {
  id: string;
  project: string;
  title?: string;
  modifies?: readonly string[];
  creates?: readonly string[];
  dependsOn?: readonly string[];
  /** Without it the field is left out and the project's command decides. */
  verify?: string;
  estimateMinutes?: number;
  /** Language of headings and hints. Default `en`. */
  lang?: "en" | "zh";
  goal?: string;
  constraints?: readonly string[];
  /** Lines of the form `claim: command -> expected`. */
  acceptance?: readonly string[];
  doNot?: readonly string[];
  plan?: readonly string[];
}

interface Words {
  headings: { goal: string; constraints: string; acceptance: string; doNot: string; plan: string };
  hints: { goal: string; constraints: string; acceptance: string; doNot: string; plan: string };
  always: readonly string[];
  plan: readonly string[];
}

const english: Words = {
  headings: { goal: "Goal", constraints: "Constraints", acceptance: "Acceptance", doNot: "Do not", plan: "Execution plan" },
  hints: {
    goal: "One sentence: the exact file and the exact symbols to add or change.",
    constraints: "Technology and versions that are already in the project, limits as numbers, what to reuse, the shared contract to read first.",
    acceptance: "At most 8. Each can be checked by the agent alone: claim: `command` -> expected. One is about bad input.",
    doNot: "What other specs own, by id, and the areas that are out of bounds.",
    plan: "Written before the code: the steps in their order, who owns what, and the risks.",
  },
  always: ["no TODO, FIXME, placeholder or pseudo-code: what is written is complete"],
  plan: [
    "Read this spec, the shared contract and the files it names",
    "List the files to create and to change, with what each is for",
    "Write the tests of the acceptance criteria and see them fail",
    "Write the code, file by file, until they pass",
    "Run the verify command on everything",
    "Go through the acceptance list and the do-not list, and correct what is missing",
  ],
};

const chinese: Words = {
  headings: { goal: "目标", constraints: "约束", acceptance: "验收标准", doNot: "不要做", plan: "执行计划" },
  hints: {
    goal: "一句话：准确写出要新增或修改的文件和符号。",
    constraints: "项目已有的技术和版本、数字化的限制、要复用的代码、先读的共享契约。",
    acceptance: "最多 8 条，agent 能自己验证：结论: `命令` -> 预期。至少一条针对错误输入。",
    doNot: "其他 spec 负责的内容（写出编号）以及禁止触碰的范围。",
    plan: "写代码之前完成：按顺序的步骤、各自边界、风险。",
  },
  always: ["不留 TODO、FIXME、占位符或伪代码，写下的都是完整实现"],
  plan: [
    "阅读本 spec、共享契约以及其中提到的文件",
    "列出要新建和修改的文件及其用途",
    "先写验收标准对应的测试，并确认它们失败",
    "逐个文件编写代码，直到测试通过",
    "运行完整的 verify 命令",
    "逐条核对验收标准和不要做清单，补齐遗漏",
  ],
};

/** A filled-in spec that passes every rule in a project that tracks `backend/schemas/post.py`. */
export const exampleSpec: SpecTemplateInput = {
  id: "S01-schedule-schema",
  project: "example",
  title: "Schemas of batch scheduling",
  modifies: ["backend/schemas/post.py"],
  creates: ["tests/schemas/test_schedule.py"],
  verify: "pytest tests/schemas/test_schedule.py",
  goal: "Add BatchScheduleRequest and BatchScheduleResponse to backend/schemas/post.py.",
  constraints: [
    "Pydantic v2, which the project has already; reuse PostBase",
    "at most 50 posts in a request",
    "scheduled_at is a datetime in the future",
  ],
  acceptance: [
    "51 posts are rejected: `pytest tests/schemas/test_schedule.py -k limit` -> exit 0",
    "a past scheduled_at is rejected: `pytest tests/schemas/test_schedule.py -k past` -> exit 0",
    "50 posts in the future are accepted: `pytest tests/schemas/test_schedule.py -k accepted` -> exit 0",
  ],
  doNot: ["no router (S03), no service (S02), no front end"],
};

/**
 * The text of a new spec in the fixed order of sections. A section without input holds a hint in a comment,
 * which the rules read as empty: an unfinished template is never dispatched.
 */
export function writeSpecTemplate(input: SpecTemplateInput): string {
  const words = input.lang === "zh" ? chinese : english;
  const fields = [
    `task_id: ${yamlScalar(input.id)}`,
    `project: ${yamlScalar(input.project)}`,
    ...(input.title === undefined ? [] : [`title: ${yamlScalar(input.title)}`]),
    "type: feature",
    "priority: 2",
    `depends_on: ${list(input.dependsOn)}`,
    `modifies: ${list(input.modifies)}`,
    `creates: ${list(input.creates)}`,
    ...(input.verify === undefined ? [] : [`verify: ${yamlScalar(input.verify)}`]),
    "executor: auto",
    `estimate_min: ${input.estimateMinutes ?? 10}`,
    `x-template: ${specTemplateVersion}`,
  ];
  const sections = [
    section(words, "goal", input.goal === undefined ? [] : [input.goal]),
    section(words, "constraints", bullets("-", input.constraints)),
    section(words, "acceptance", bullets("- [ ]", input.acceptance)),
    section(words, "doNot", bullets("-", [...(input.doNot ?? []), ...words.always])),
    section(
      words,
      "plan",
      (input.plan ?? words.plan).map((step, i) => `${i + 1}. ${step}`),
    ),
  ];
  return `---\n${fields.join("\n")}\n---\n${sections.join("\n")}`;
}

function section(words: Words, part: keyof Words["headings"], lines: readonly string[]): string {
  return [`## ${words.headings[part]}`, `<!-- ${words.hints[part]} -->`, ...lines, ""].join("\n");
}

function bullets(mark: string, lines: readonly string[] = []): string[] {
  return lines.map((line) => `${mark} ${line}`);
}

function list(values: readonly string[] = []): string {
  return `[${values.map(yamlScalar).join(", ")}]`;
}

/** A text that YAML reads back as it is, quoted where plain text would mean something else. */
export function yamlScalar(value: string): string {
  const plain =
    /^[A-Za-z./][A-Za-z0-9_./ -]*$/.test(value) && !value.endsWith(" ") && !/^(true|false|null|yes|no|on|off|~|\.nan|\.inf)$/i.test(value);
  return plain ? value : JSON.stringify(value);
}
