import { anchorKey, changedAnchors } from "@dispatch/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseContract } from "./parse-contract.ts";

const json = (value: string) => `\`\`\`json\n${value}\n\`\`\`\n`;

function read(text: string, file = "SHARED_CONTEXT.md") {
  return parseContract(file, text).anchors.map(
    ({ anchor, line, request, response }) => `${line} ${anchor}${request ? " in" : ""}${response ? " out" : ""}`,
  );
}

describe("a Markdown contract", () => {
  test.each<[string, string, string[]]>([
    ["words before the blocks", `## POST /a\nRequest:\n${json('{"a":1}')}Response 200:\n${json("{}")}`, ["1 POST /a in out"]],
    ["中文", `### 接口 \`POST /a\`\n请求:\n${json('{"a":1}')}响应:\n${json("{}")}`, ["1 POST /a in out"]],
    ["the answer first", `## POST /a\nResponse:\n${json("{}")}`, ["1 POST /a out"]],
    ["no words at all", `## POST /a\n${json("{}")}${json("[]")}`, ["1 POST /a in out"]],
    ["one block without a word", `## POST /a\n${json("{}")}`, ["1 POST /a in"]],
    ["words in headings below", `## POST /a\n#### Request\n${json("{}")}#### Response\n${json("[]")}`, ["1 POST /a in out"]],
    ["no body to send", `## POST /a/:id/publish\nno request body. Response 200:\n${json("{}")}`, ["1 POST /a/:id/publish in out"]],
    ["a GET", `# Contract\n\n## GET /a\nResponse:\n${json("{}")}`, ["3 GET /a in out"]],
    ["signatures instead of examples", "## POST /a\nRequest:\n```ts\ntype A = 1\n```\n", ["1 POST /a"]],
    [
      "events and types",
      `## event post.created\n${json("{}")}## type Item\nlater\n## 类型 Other\n${json("{}")}`,
      ["1 event post.created in out", "5 type Item in", "7 type Other in out"],
    ],
    ["a heading in a fence", `## POST /a\n\`\`\`\n## GET /b\n\`\`\`\n`, ["1 POST /a"]],
    ["another section after it", `## POST /a\n## Errors\n${json("{}")}`, ["1 POST /a"]],
    ["CRLF and a mark", `\uFEFF## POST /a\r\nRequest:\r\n\`\`\`json\r\n{}\r\n\`\`\`\r\n`, ["1 POST /a in"]],
  ])("%s", (_, text, anchors) => {
    expect(read(text)).toEqual(anchors);
  });

  test("tells of examples that are not JSON, of entries given twice, and of none", () => {
    const problems = (text: string) => parseContract("C.md", text).problems.map(({ line, code }) => `${line} ${code}`);
    expect(problems(`## POST /a\nRequest:\n${json("{a: 1}")}`)).toEqual(["3 json"]);
    expect(problems("## POST /a/:id\n## POST /a/{name}\n")).toEqual(["2 anchor-twice"]);
    expect(problems("# Nothing yet\n")).toEqual(["1 no-entry"]);
  });
});

describe("an OpenAPI contract", () => {
  const yaml = `openapi: 3.1.0
paths:
  /posts:
    get:
      responses: { "200": { content: { application/json: { example: [] } } } }
    post:
      requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/Post" } } } }
      responses: { "201": { content: { application/json: { schema: { $ref: "#/components/schemas/Post" } } } } }
components:
  schemas:
    Post: { type: object, example: { id: 1 } }
    Bare: { type: object }
`;
  test("has its operations and schemas as entries, with references followed", () => {
    expect(read(yaml, "api.yaml")).toEqual(["4 GET /posts in out", "6 POST /posts in out", "11 type Post in out", "12 type Bare in"]);
  });
  test("may be JSON", () => {
    expect(read('{"paths": {"/a": {"post": {"requestBody": {"content": {}}}}}}', "api.json")).toEqual(["1 POST /a"]);
  });
  test("that cannot be read says where", () => {
    expect(parseContract("api.yaml", "a: 1\nb: [").problems.map(({ line, code }) => [line, code])).toEqual([[2, "yaml"]]);
  });
  test("changes with what it refers to", () => {
    const after = parseContract("api.yaml", yaml.replace("{ id: 1 }", "{ id: 2 }"));
    expect(changedAnchors(parseContract("api.yaml", yaml), after).changed).toEqual(["POST /posts", "type Post"]);
  });
});

describe("changes between two versions", () => {
  const before = `## POST /a\nRequest:\n${json('{"a": 1, "b": 2}')}Response:\n${json("{}")}## GET /b\nResponse:\n${json("[]")}`;
  const changes = (after: string) => changedAnchors(parseContract("C.md", before), parseContract("C.md", after));
  test("layout, the order of keys and of entries do not count", () => {
    const [first = "", second = ""] = before.split("## GET");
    const after = `## GET${second}\n\n### \`POST  /a\`\nRequest:\n${json('{\n  "b": 2,\n  "a": 1\n}')}Response:\n${json("{ }")}`;
    expect(changes(after)).toEqual({ added: [], changed: [], removed: [] });
    expect(first).not.toBe("");
  });
  test("values, words, new and missing entries do", () => {
    expect(changes(before.replace('"b": 2', '"b": 3'))).toEqual({ added: [], changed: ["POST /a"], removed: [] });
    expect(changes(before.replace("Request:", "Scope x. Request:"))).toEqual({ added: [], changed: ["POST /a"], removed: [] });
    expect(changes(before.replace("GET /b", "GET /c"))).toEqual({ added: ["GET /c"], changed: [], removed: ["GET /b"] });
  });
});

test("one spelling stands for all of an anchor", () => {
  expect(anchorKey("post  `/a/:id/`")).toBe(anchorKey("POST /a/{name}"));
  expect(anchorKey("事件 x.y")).toBe(anchorKey("event x.y"));
  expect(anchorKey("GET /a")).not.toBe(anchorKey("POST /a"));
});

test("any text is read without throwing, the same way again, with lines inside the file", () => {
  const line = fc.oneof(
    fc.constantFrom(
      "## POST /a",
      "### GET /a/:id",
      "## event x",
      "```json",
      "```",
      "{}",
      "{",
      "Request:",
      "响应",
      "paths:",
      "  /a:",
      "    get: {}",
      "&a [*a]",
      "a: *a",
      "- x: &x {y: *x}",
      "\t",
    ),
    fc.string({ maxLength: 20 }),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 25 }), fc.constantFrom("C.md", "c.yaml", "c.json"), (lines, file) => {
      const text = lines.join("\n");
      const parsed = parseContract(file, text);
      expect(parseContract(file, text)).toEqual(parsed);
      for (const { line: at } of [...parsed.anchors, ...parsed.problems]) {
        expect(at).toBeGreaterThanOrEqual(1);
        expect(at).toBeLessThanOrEqual(Math.max(1, lines.length));
      }
      expect(changedAnchors(parsed, parsed)).toEqual({ added: [], changed: [], removed: [] });
    }),
    { numRuns: 1500 },
  );
});
