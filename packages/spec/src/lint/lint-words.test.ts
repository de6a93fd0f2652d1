import { describe, expect, test } from "vitest";
import type { RuleId } from "../problem.ts";
import { criterion, factsWith, type Row, said } from "../testing/draft-specs.ts";

function table(id: RuleId, rows: readonly Row[], facts = factsWith()) {
  describe(id, () => {
    test.each(rows)("%s", (_, draft, expected) => {
      expect(said([draft], id, facts)).toEqual(expected);
    });
  });
}

table("SIZE001", [
  ["two minutes", { head: "modifies: [lib/a.ts]\nestimate_min: 2" }, ["estimate-small warning"]],
  ["fifteen minutes", { head: "modifies: [lib/a.ts]\nestimate_min: 15" }, []],
  ["sixteen minutes", { head: "modifies: [lib/a.ts]\nestimate_min: 16" }, ["estimate-large warning"]],
  ["thirty-one minutes", { head: "modifies: [lib/a.ts]\nestimate_min: 31" }, ["estimate-large error"]],
  ["four product files", { head: "modifies: [lib/a.ts, lib/b.ts, lib/c.ts, lib/schedule.ts]" }, ["files-many warning"]],
  ["three product files with tests", { head: "modifies: [lib/a.ts, lib/b.ts, lib/c.ts, test/a.test.ts, docs/use.md]" }, []],
  ["a thousand words", { more: `## Notes\n${"one more word ".repeat(320)}` }, ["words-many warning"]],
  ["一千六百字", { more: `## 背景\n${"一二三四".repeat(400)}` }, ["words-many warning"]],
  ["two goals", { goal: "Change lib/a.ts and also send an e-mail." }, ["goals-many warning"]],
  ["两个目标", { goal: "修改 lib/a.ts，并且另外发送邮件。" }, ["goals-many warning"]],
  ["a second order about a file of others", { goal: "Change lib/a.ts. Add toUtc() to lib/b.ts." }, ["goals-many warning"]],
  ["a second order about an own file", { head: "modifies: [lib/a.ts, lib/b.ts]", goal: "Change lib/a.ts. Add toUtc() to lib/b.ts." }, []],
]);

table("VER005", [
  ["a browser", criterion("the page is right: open it in the browser"), ["needs-person error"]],
  ["an eye beside a command", criterion("visually the same: `npm test` -> exit 0"), ["needs-person error"]],
  ["by hand", criterion("checked manually"), ["needs-person error"]],
  ["目测", criterion("页面目测无误: `npm test` -> exit 0"), ["needs-person error"]],
  ["人工", criterion("人工检查页面"), ["needs-person error"]],
  ["a product that is about hands", criterion("a manually scheduled post is refused: `npm test` -> exit 0"), []],
  ["人工智能不是人工", criterion("人工智能接口报错时返回 503: `npm test` -> exit 0"), []],
  [
    "the tool of a scenario",
    { more: "## QA\nScenario: Page\nTool: manual inspection\nSteps:\n 1. look\nExpected Result: fine" },
    ["needs-person error"],
  ],
  ["a browser tool", { more: "## QA\nScenario: Page\nTool: Playwright\nSteps:\n 1. open /x\nExpected Result: the text is 50" }, []],
]);

table("AMB001", [
  ["TBD", { constraints: "- the format is TBD" }, ["undecided error"]],
  ["question marks", { goal: "Change lib/a.ts to ???" }, ["undecided error"]],
  ["an open decision", { constraints: "- [DECISION NEEDED: which]" }, ["undecided error"]],
  ["a gap to fill", { constraints: "- at most <fill in> posts" }, ["undecided error"]],
  ["a guess", { constraints: "- the clock is probably UTC" }, ["undecided error"]],
  ["another spec instead of words", { constraints: "- similar to S02" }, ["undecided error"]],
  ["待定", { constraints: "- 格式待定" }, ["undecided error"]],
  ["等等", { constraints: "- 支持 x、y 等等" }, ["undecided error"]],
  ["dots in a command", criterion("it runs: `curl -s ... | jq .` -> exit 0"), ["ellipsis-in-command error"]],
  ["dots in verify", { head: "modifies: [lib/a.ts]\nverify: npm test ..." }, ["ellipsis-in-command error"]],
  ["every package of Go", criterion("it runs: `go test ./... && git diff main...HEAD` -> exit 0"), []],
  ["a spread in code", criterion('it runs: `node -e "[...new Set()]"` -> exit 0'), []],
  ["no marks, said of the result", { constraints: "- no TODO, FIXME or placeholder is left\n- 不留 TODO、占位符" }, []],
  ["a word in code", { constraints: "- the gate looks for `TODO` and `TBD`" }, []],
  ["a word in a fence", { more: "## Notes\n```\nTODO ??? 待定\n```" }, []],
  ["a list of things to do", { goal: "Change the TODO list of lib/a.ts" }, []],
  ["a statistical test", { constraints: "- 使用假设检验，等等待的上限为 5 秒" }, []],
  ["the do-not list", { doNot: "- no TODO, no ???" }, []],
]);

table("AMB002", [
  ["fast", criterion("the answer is fast and refused: `npm test` -> exit 0"), ["vague error"]],
  ["a vague constraint", { constraints: "- errors are handled gracefully" }, ["vague warning"]],
  ["合理", criterion("响应时间合理: `npm test` -> exit 0"), ["vague error"]],
  ["尽量", { constraints: "- 尽量复用已有代码" }, ["vague warning"]],
  ["fast with a number", criterion("the answer is fast, below 200 ms: `npm test` -> exit 0"), []],
  ["合理 with a number", criterion("响应时间合理，不超过 200 毫秒: `npm test` -> exit 0"), []],
  ["words that only look vague", { constraints: "- use fast-check, a fast path and FastAPI; fail fast\n- a proper subset" }, []],
  ["正常 that means something", { constraints: "- 正常路径返回 200，异常返回 500，不正常的输入被拒绝" }, []],
  ["a vague word as code", criterion("the flag `fast` is refused: `npm test` -> exit 0"), []],
  ["a vague word of the do-not list", { doNot: "- no robust parser" }, []],
]);
