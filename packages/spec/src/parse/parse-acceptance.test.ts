import { expect, test } from "vitest";
import { parseAcceptance, splitClaim } from "./parse-acceptance.ts";
import { splitSections } from "./split-sections.ts";

test.each<[string, [string, string?, string?]]>([
  ["51 posts are rejected: `pytest -k limit` -> exit 0", ["51 posts are rejected", "pytest -k limit", "exit 0"]],
  ["51 posts are rejected: pytest -k limit -> exit 0", ["51 posts are rejected", "pytest -k limit", "exit 0"]],
  ["没有令牌被拒绝：`curl -s localhost` → HTTP 401", ["没有令牌被拒绝", "curl -s localhost", "HTTP 401"]],
  ["没有令牌被拒绝：curl -s localhost → HTTP 401", ["没有令牌被拒绝", "curl -s localhost", "HTTP 401"]],
  ["`npm test` => exit 0", ["npm test", "npm test", "exit 0"]],
  ['the list is sorted: `node -e "f(() => 1)"` -> equals "1"', ["the list is sorted", 'node -e "f(() => 1)"', 'equals "1"']],
  ["`sort()` keeps order: `npm test` -> exit 0", ["`sort()` keeps order", "npm test", "exit 0"]],
  ["it builds: make all -> exit 0", ["it builds", "make all", "exit 0"]],
  ["it builds: ./run.sh build", ["it builds", "./run.sh build"]],
  ["PORT=1 npm test", ["PORT=1 npm test", "PORT=1 npm test"]],
  ["pytest tests/x.py passes", ["pytest tests/x.py passes", "pytest tests/x.py", "passes"]],
  ["own tool: frobnicate --all -> exit 0", ["own tool", "frobnicate --all", "exit 0"]],
  ["make sure that it works", ["make sure that it works"]],
  ["Note: make it fast", ["Note: make it fast"]],
  ["`ScheduleItem` holds platform", ["`ScheduleItem` holds platform"]],
  ["51 posts -> 422", ["51 posts -> 422"]],
  ["the file exists (verify 1)", ["the file exists (verify 1)"]],
])("%s", (written, [text, command, expected]) => {
  expect(splitClaim(written)).toEqual({ text, ...(command === undefined ? {} : { command }), ...(expected === undefined ? {} : { expected }) });
});

test("items may be boxes, bullets or numbers; what is deeper belongs to them; code is not read", () => {
  const body = splitSections(
    "## 验收标准\n- [ ] a\n  - detail\n- [x] b\n  goes on\n\n* c\n1. d\n```\n- [ ] no\n```\n- AC9: e\n### 约束\n- [ ] f\n",
    10,
  );
  const { items, empty } = parseAcceptance(body.sections.filter((section) => section.kind === "acceptance"));
  expect(items.map(({ id, text, line }) => [id, text, line])).toEqual([
    ["AC1", "a detail", 11],
    ["AC2", "b goes on", 13],
    ["AC3", "c", 16],
    ["AC4", "d", 17],
    ["AC9", "e", 21],
  ]);
  expect(empty).toEqual([]);
});
