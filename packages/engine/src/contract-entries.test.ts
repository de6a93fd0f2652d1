import { describe, expect, it } from "vitest";
import { anchorsOf, citedText, compareContracts, isCited, parseCitation } from "./contract-entries.ts";

const text = `# Shared contract

Errors have a code.

## POST /posts/:id

Request:

\`\`\`sh
# not a heading
curl -X POST
\`\`\`

### Limits

Fifty.

## type Post

\`\`\`json
{ "id": "1" }
\`\`\`

# Notes

Nothing more.
`;
const openApi = `openapi: 3.1.0
paths:
  /posts:
    get:
      responses:
        "200": { description: all }
    post:
      responses:
        "201": { description: made }
components:
  schemas:
    Post:
      type: object
`;
const texts = new Map([
  ["API.md", text],
  ["api.yaml", openApi],
  ["plain.txt", "Words without entries.\n"],
]);
const cited = (citation: string) => citedText(texts, parseCitation(citation));

describe("what a citation stands for", () => {
  it("is the entry from its heading to the next one of its rank, with what is below it", () => {
    expect(cited("API.md#POST /posts/:id")).toBe(text.slice(text.indexOf("## POST"), text.indexOf("## type")).trimEnd());
    expect(cited("API.md#type Post")).toBe(text.slice(text.indexOf("## type"), text.indexOf("# Notes")).trimEnd());
  });

  it.each(["API.md#post  /posts/{id}", "API.md# POST /posts/:id ", "API.md#`POST /posts/<key>/`"])(
    "is found under another spelling: %s",
    (citation) => {
      expect(cited(citation)).toBe(cited("API.md#POST /posts/:id"));
    },
  );

  it("is the key with what is below it in an OpenAPI file", () => {
    expect(anchorsOf(texts, "api.yaml")).toEqual(["GET /posts", "POST /posts", "type Post"]);
    expect(cited("api.yaml#POST /posts")).toBe('    post:\n      responses:\n        "201": { description: made }');
  });

  it.each(["API.md", "API.md#", "plain.txt"])("is the whole file without an anchor: %s", (citation) => {
    expect(cited(citation)).toBe(texts.get(parseCitation(citation).file));
  });

  it.each(["API.md#GET /posts", "plain.txt#POST /x", "missing.md", "missing.md#POST /x"])(
    "is nothing where nothing has that name: %s",
    (citation) => {
      expect(cited(citation)).toBeUndefined();
    },
  );
});

describe("two revisions", () => {
  const change = (from: string, to: string) => compareContracts(texts, new Map([...texts, ["API.md", text.replace(from, to)]]));

  it.each([
    ["curl -X POST", "curl -X PUT", "POST /posts/:id"],
    ["Fifty.", "Sixty.", "POST /posts/:id"],
    ['"1"', '"2"', "type Post"],
    ["Nothing more.", "Something.", ""],
  ])("differ in the entry that holds %j", (from, to, anchor) => {
    const [only, ...more] = change(from, to);
    expect(more).toEqual([]);
    expect(only).toMatchObject({ file: "API.md", anchor, change: "changed" });
    expect(only?.before).toContain(from);
    expect(only?.after).toContain(to);
  });

  it("do not differ by layout, line ends or spacing in JSON", () => {
    expect(change('{ "id": "1" }', '{\n  "id":   "1"\n}')).toEqual([]);
    expect(compareContracts(texts, new Map([...texts, ["API.md", text.replaceAll("\n", "\r\n")]]))).toEqual([]);
  });

  it("show an entry that was renamed as one gone and one new", () => {
    expect(change("type Post", "type Article").map((one) => [one.anchor, one.change, one.before === null, one.after === null])).toEqual([
      ["type Article", "added", true, false],
      ["type Post", "removed", false, true],
    ]);
  });
});

describe("a change is cited", () => {
  const changed = { file: "API.md", anchor: "POST /posts/:id", change: "changed" as const };
  it.each([
    ["API.md#POST /posts/{id}", true],
    ["API.md", true],
    ["API.md#POST /posts", false],
    ["OTHER.md#POST /posts/:id", false],
  ])("by %s: %j", (citation, is) => {
    expect(isCited(changed, [parseCitation(citation)])).toBe(is);
  });
});
