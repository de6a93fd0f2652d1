export type SectionKind =
  | "goal"
  | "constraints"
  | "acceptance"
  | "do-not"
  | "plan"
  | "context"
  | "references"
  | "qa"
  | "contract"
  | "notes"
  | "other";

const aliases: Readonly<Record<Exclude<SectionKind, "other">, readonly string[]>> = {
  goal: ["goal", "goals", "objective", "objectives", "目标", "任务目标", "目的"],
  constraints: ["constraint", "constraints", "约束", "约束条件", "限制"],
  acceptance: ["acceptance", "acceptance criteria", "acceptance criterion", "验收标准", "验收", "验收条件", "验收准则"],
  "do-not": ["do not", "don't", "do not do", "must not", "must not do", "must not have", "不要做", "不要", "不做", "禁止", "禁止事项"],
  plan: ["plan", "execution plan", "implementation plan", "执行计划", "计划", "实施计划"],
  context: ["context", "background", "背景", "上下文"],
  references: ["reference", "references", "参考", "参考资料"],
  qa: ["qa", "qa scenario", "qa scenarios", "agent-executed qa scenarios", "qa场景", "qa 场景", "测试场景"],
  contract: ["contract", "contracts", "shared contract", "契约", "共享契约", "接口契约"],
  notes: ["note", "notes", "备注", "说明"],
};

const kinds = new Map(Object.entries(aliases).flatMap(([kind, words]) => words.map((word) => [word, kind as SectionKind])));

/** What a heading announces, in English or Chinese: `## 1. Goal / 目标:` is the goal. */
export function headingKind(heading: string): SectionKind {
  const bare = heading
    .replace(/[*_`]/g, "")
    .replace(/[(（][^)）]*[)）]\s*$/, "")
    .trim();
  for (const part of [bare, ...bare.split(/[/|]/)]) {
    const kind = kinds.get(normalise(part));
    if (kind !== undefined) return kind;
  }
  return "other";
}

function normalise(heading: string): string {
  return heading
    .trim()
    .replace(/^(\d+(\.\d+)*[.)、]?|[一二三四五六七八九十]+[、.])\s*/, "")
    .replace(/[:：\s]+$/, "")
    .replace(/’/g, "'")
    .replace(/\s+/g, " ")
    .toLowerCase();
}
