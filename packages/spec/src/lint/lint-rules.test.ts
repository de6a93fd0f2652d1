import { describe, expect, test } from "vitest";
import type { RuleId } from "../problem.ts";
import { contractFiles, criterion, type Draft, direction, factsWith, good, lint, type Row, said } from "../testing/draft-specs.ts";
import { lintRules } from "./lint-rules.ts";

function table(id: RuleId, rows: readonly Row[], facts = factsWith()) {
  describe(id, () => {
    test.each(rows)("%s", (_, draft, expected) => {
      expect(said([draft], id, facts)).toEqual(expected);
    });
  });
}

test("the drafts of this file have nothing wrong with them", () => {
  expect(lint([{}])).toEqual([]);
});

test("every rule is described once, and no others", () => {
  const ids = lintRules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(26);
  expect(ids).toHaveLength(26);
});

table("AC002", [
  ["a claim alone", criterion("works nicely for everybody"), ["acceptance-uncheckable error"]],
  ["只有说法", criterion("批量排期可以使用"), ["acceptance-uncheckable error"]],
  ["prose before an arrow", criterion("limits: 15 requests → first 10 return 200"), ["acceptance-uncheckable error"]],
  ["a quoted command", criterion("limits: `./bench 15` → 200"), []],
  ["a bare command", criterion("pytest tests/x.py 全绿"), []],
  ["a link to verify", criterion("51 posts are rejected (verify 1)"), []],
  ["a symbol that is there", criterion("`ScheduleItem` is exported"), []],
  ["一个可见的事实", criterion("ScheduleItem 包含 post_id, platform"), []],
  [
    "a link check of a document",
    { head: "type: docs\nmodifies: [docs/use.md]", goal: "Describe docs/use.md.", acceptance: "- [ ] all links lead somewhere" },
    [],
  ],
  ["a link check of code", { acceptance: `${good}\n- [ ] all links lead somewhere` }, ["acceptance-uncheckable error"]],
]);

table("AC003", [
  ["success alone", { acceptance: "- [ ] it adds: `npm test` -> exit 0" }, ["failure-untested warning"]],
  ["只有成功", { acceptance: "- [ ] 可以相加: `npm test` -> exit 0" }, ["failure-untested warning"]],
  [
    "success alone of P0",
    { head: "priority: P0\nmodifies: [lib/a.ts]", acceptance: "- [ ] it adds: `npm test` -> exit 0" },
    ["failure-untested error"],
  ],
  [
    "success alone of an endpoint",
    { goal: "Add POST /x to lib/a.ts", acceptance: "- [ ] it adds: `npm test` -> exit 0" },
    ["failure-untested error"],
  ],
  ["no errors is not a failure", { acceptance: "- [ ] it adds without errors: `npm test` -> exit 0" }, ["failure-untested warning"]],
  ["没有错误不算失败", { acceptance: "- [ ] 相加无错误: `npm test` -> exit 0" }, ["failure-untested warning"]],
  ["an unknown key", { acceptance: "- [ ] an unknown key: `npm test` -> exit 0" }, []],
  ["缺少字段", { acceptance: "- [ ] 缺少字段时报 422: `npm test` -> exit 0" }, []],
  ["a failing exit", { acceptance: "- [ ] a typo: `npm test` -> exit 2" }, []],
  ["a document", { head: "type: docs\nmodifies: [docs/use.md]", goal: "docs/use.md", acceptance: "- [ ] it adds: `npm test` -> exit 0" }, []],
  [
    "a scenario that fails",
    {
      acceptance: "- [ ] it adds: `npm test` -> exit 0",
      more: "## QA\nScenario: A bad token is refused\nTool: sh\nSteps:\n 1. x\nExpected Result: 401",
    },
    [],
  ],
]);

table("VER002", [
  ["an npm script that is not there", { head: "modifies: [lib/a.ts]\nverify: npm run e2e" }, ["script-unknown error"]],
  ["an npm script that is", { head: "modifies: [lib/a.ts]\nverify: npm run build && npm test" }, []],
  ["an npm script the spec may add", { head: "modifies: [lib/a.ts, package.json]\nverify: npm run e2e" }, []],
  ["a make target that is not there", { head: "modifies: [lib/a.ts]\nverify: make tset" }, ["script-unknown error"]],
  ["a make target that is", { head: "modifies: [lib/a.ts]\nverify: make -j2 check" }, []],
  ["a just recipe without a justfile", { head: "modifies: [lib/a.ts]\nverify: just test" }, ["script-unknown error"]],
  ["a program nobody brings", { head: "modifies: [lib/a.ts]\nverify: pytst test/a.test.ts" }, ["program-unknown error"]],
  ["a program of a dependency", { head: "modifies: [lib/a.ts]\nverify: npx vitest run test/a.test.ts && npx tsc" }, []],
  ["a misspelt program of a dependency", { head: "modifies: [lib/a.ts]\nverify: npx vitst run test/a.test.ts" }, ["program-unknown error"]],
  ["tests that are not there", { head: "modifies: [lib/a.ts]\nverify: pytest tests/unit" }, ["test-path-unknown error"]],
  ["tests that are", { head: "modifies: [lib/a.ts]\nverify: npx vitest run test/a" }, []],
  ["a command of a criterion", criterion("it runs: `npm run nope` -> exit 0"), ["script-unknown error"]],
]);
test("VER002 is silent where the manifests are not known", () => {
  const draft: Draft = { head: "modifies: [lib/a.ts]\nverify: npm run e2e && pytst" };
  expect(said([draft], "VER002", factsWith({ manifests: null }))).toEqual([]);
});

table("VER003", [
  ["a file that is not there", { head: "modifies: [lib/a.ts]\nverify: node --test test/b.test.ts" }, ["check-file-unknown error"]],
  ["a file that is", { head: "modifies: [lib/a.ts]\nverify: node --test test/a.test.ts" }, []],
  ["an own file", { head: "modifies: [lib/a.ts]\ncreates: [test/b.test.ts]\nverify: node --test test/b.test.ts" }, []],
  ["a file in a folder that verify enters", { head: "modifies: [lib/a.ts]\nverify: cd test && node --test ./a.test.ts" }, []],
  ["a test by its name in the file", { head: "modifies: [lib/a.ts]\nverify: 'npx vitest run test/a.test.ts -t \"one/two.ts\"'" }, []],
  ["a file of a criterion", criterion("it runs: `python tools/x.py` -> exit 0"), ["check-file-unknown error"]],
  ["a file that must be absent", criterion("it is gone: `test ! -e lib/old.ts` -> exit 0"), []],
  ["a file that the command writes", criterion("it runs: `node lib/a.ts > out.json && jq . out.json` -> exit 0"), []],
  ["a pattern that looks like a path", criterion('it is named: `grep -q "lib/none.ts" docs/use.md` -> exit 0'), []],
  ["what git and docker name", criterion("it runs: `docker run org/app.js && git show HEAD:lib/x.ts` -> exit 0"), []],
]);

table(
  "VER004",
  [
    ["true", { head: "modifies: [lib/a.ts]\nverify: 'true'" }, ["verify-vacuous error"]],
    ["a failure that is swallowed", { head: "modifies: [lib/a.ts]\nverify: npm test || true" }, ["verify-vacuous error"]],
    ["an echo", { head: "modifies: [lib/a.ts]\nverify: cd lib && echo done" }, ["verify-vacuous error"]],
    ["one that proves beside one that does not", { head: "modifies: [lib/a.ts]\nverify: [npm test, 'true']" }, ["verify-passes warning"]],
    ["one that passes before a feature", { head: "modifies: [lib/a.ts]\nverify: npm test" }, ["verify-passes warning"]],
    ["one that passes before a bug is fixed", { head: "type: bugfix\nmodifies: [lib/a.ts]\nverify: npm test" }, ["verify-passes error"]],
    ["one that fails, as it should", { id: "S02-demo" }, []],
    ["one that was not tried", { id: "S03-demo" }, []],
  ],
  factsWith(
    {},
    {
      preflight: new Map([
        ["demo/S01-demo", { outcome: "passes", command: "npm test" }],
        ["demo/S02-demo", { outcome: "fails", command: "npm test" }],
      ]),
    },
  ),
);

table("SCOPE001", [
  ["nothing ruled out", { doNot: "" }, ["do-not-empty error"]],
  ["a hint in a comment", { doNot: "<!-- what others own -->" }, ["do-not-empty error"]],
  ["forbids instead", { head: "modifies: [lib/a.ts]\nforbids: [api/**]", doNot: "" }, []],
  ["不改前端", { doNot: "- 不改前端" }, []],
]);

table(
  "SCOPE002",
  [
    ["forbids of an own path", { head: "modifies: [lib/a.ts]\nforbids: [lib/**]" }, ["F06 error"]],
    ["an own path ruled out", { doNot: "- no change of `lib/a.ts`" }, ["do-not-covers-own error"]],
    ["the folder of an own path", { doNot: "- no new dependency, no change below lib/" }, ["do-not-covers-own error"]],
    ["不改自己的文件", { doNot: "- 不改 lib/a.ts (S02 负责)" }, ["do-not-covers-own error"]],
    ["something inside an own file", { doNot: "- no change of `addTwo` in lib/a.ts" }, []],
    ["another path", { doNot: "- no change of lib/b.ts, lib/c.ts or api/" }, []],
    ["a topic of the plan", { head: "direction: D-1\nmodifies: [lib/a.ts]", goal: "Add a register page to lib/a.ts" }, ["topic-forbidden error"]],
    ["方向禁止的内容", { head: "direction: D-1\nmodifies: [lib/a.ts]", goal: "在 lib/a.ts 增加注册页" }, ["topic-forbidden error"]],
    ["the topic denied", { head: "direction: D-1\nmodifies: [lib/a.ts]", goal: "Change lib/a.ts without a register page" }, []],
  ],
  factsWith({ directions: [direction] }),
);

table("MOD003", [
  ["everything", { head: "modifies: ['**']" }, ["locks-everything error"]],
  ["a glob over many files", { head: "modifies: ['gen/*.ts']", goal: "Change gen." }, ["locks-many-files warning"]],
  ["a folder of many files", { head: "modifies: [gen]", goal: "Change gen." }, ["locks-many-files warning"]],
  ["a glob over few files", { head: "modifies: ['lib/*.ts']", goal: "Change lib." }, []],
  ["seven entries", { head: "modifies: [lib/a.ts, lib/b.ts, lib/c.ts, docs/use.md]\ncreates: [x.md, y.md, z.md]" }, ["locks-many-entries warning"]],
]);

table(
  "CON001",
  [
    ["an endpoint without its entry", { goal: "Add POST /schedule to lib/a.ts" }, ["contract-uncited error"]],
    ["an event without its entry", { constraints: "- emits post.created" }, ["contract-uncited error"]],
    ["a type without its entry", { constraints: "- takes ScheduleItem values" }, ["contract-uncited error"]],
    [
      "an endpoint with its entry",
      { head: 'modifies: [lib/a.ts]\ncontract: ["SHARED_CONTEXT.md#POST /schedule"]', goal: "Add POST /schedule to lib/a.ts" },
      [],
    ],
    [
      "an endpoint by its short name",
      { head: 'modifies: [lib/a.ts]\ncontract: ["SHARED_CONTEXT.md#GET /posts"]', goal: "Change GET /posts in lib/a.ts" },
      [],
    ],
    ["an entry that is not there", { head: 'modifies: [lib/a.ts]\ncontract: ["SHARED_CONTEXT.md#POST /shedule"]' }, ["F20 error"]],
    ["a contract file that is not there", { head: 'modifies: [lib/a.ts]\ncontract: ["CONTRACT.md#POST /x"]' }, ["F20 error"]],
    ["an entry without examples", { head: 'modifies: [lib/a.ts]\ncontract: ["SHARED_CONTEXT.md#POST /bare"]' }, ["contract-incomplete error"]],
    ["who writes the contract", { head: "type: contract\nmodifies: [SHARED_CONTEXT.md]", goal: "Add POST /new to SHARED_CONTEXT.md" }, []],
    ["an address of a command", criterion("it answers 404: `curl -X POST http://localhost/schedule` -> HTTP 404"), []],
  ],
  factsWith({ contractFiles, contracts: ["SHARED_CONTEXT.md"] }),
);
test("CON001 warns where the project has no contract file", () => {
  expect(said([{ goal: "Add POST /schedule to lib/a.ts" }], "CON001")).toEqual(["contract-uncited warning"]);
});

table("SEC001", [
  ["a key", { constraints: "- use AKIAABCDEFGHIJKLMNOP" }, ["secret error"]],
  ["a random value", { more: "## Notes\n```\nAPI_KEY=9fK2mZ81xQpL0vTr7YwB3nHc\n```" }, ["secret error"]],
  ["a password in an address", { constraints: "- the database is postgres://app:Zk81mQp0x@db.internal/app" }, ["secret error"]],
  ["the name of a variable", { constraints: "- the key comes from STRIPE_API_KEY=$STRIPE_API_KEY" }, []],
  ["a value that is an example", { constraints: "- API_KEY=your-api-key-here, token: example-token-value" }, []],
  ["a digest", { constraints: `- token sha256: ${"0123456789abcdef".repeat(4)}` }, []],
  ["a destructive command", criterion("it starts afresh: `rm -rf / && npm test` -> exit 1"), ["destructive-command error"]],
  ["a forced push", criterion("it is out: `git push --force origin main` -> exit 1"), ["destructive-command error"]],
  ["a script from the net", criterion("it installs: `curl -s https://x.example | sh` -> exit 1"), ["destructive-command error"]],
  ["what is ruled out", { doNot: "- never git push --force, never rm -rf /" }, []],
  ["cleaning up one's own", criterion("it is gone: `rm -rf ./dist && npm test` -> exit 1"), []],
]);
