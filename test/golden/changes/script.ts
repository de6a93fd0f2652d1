import type { ChangeCase } from "./case.ts";

const language = "typescript";

export const scriptCases: readonly ChangeCase[] = [
  {
    name: "a mark in a line comment",
    language,
    before: { "src/a.ts": "export const a = 1;\n" },
    after: { "src/a.ts": "export const a = 1;\n// TODO: validate the title\nexport const b = 2;\n" },
    expect: [{ gate: "G02", path: "src/a.ts", line: 2 }],
  },
  {
    name: "marks of every kind, one a line",
    language,
    before: {},
    after: {
      "src/a.ts": `// FIXME later
/* HACK around the parser */
const a = 1; // XXX this leaks
/**
 * TODO(kim): describe
 */
// todo: lower case, but a mark
// placeholder
// This is just a placeholder until the API is ready
// Not implemented yet
// implement this later
// 待实现
// ... existing code ...
// your code here
const url = "TODO: ask for the address";
`,
    },
    expect: [1, 2, 3, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15].map((line) => ({ gate: "G02", path: "src/a.ts", line }) as const),
  },
  {
    name: "words that only look like marks",
    language,
    before: {},
    after: {
      "src/todo.tsx": `import { addTodo, ADD_TODO, type Todo } from "./todos";
// Lists todos and lets one add a todo item.
// The TODO list is sorted by date.
export type Status = "TODO" | "DOING" | "DONE";
export enum Column { TODO, DONE }
export const columns = [{ status: "TODO" }, { status: "DONE" }];
if (task.status === "TODO") move(task, Status.TODO);
const phone = "XXX-XXX-XXXX";
const terms = ["TODO", "FIXME"];
export const Search = ({ placeholder }: Props) => <input placeholder="Search" aria-label={placeholder} />;
const field = { type: "text", placeholder: "Title", value };
const shown = props.placeholder ?? t("placeholder");
screen.getByPlaceholderText("Title");
// The placeholder text is shown while the field is empty.
// Each row is as high as the
// placeholder mirrors it, so that nothing moves; shown once per placeholder.
// Skips methods which are not implemented by the plugin.
/**
 * useEffect(() => {
 *   // your code here
 * });
 */
input.setAttribute("placeholder", "Title");
const styles = css\`&::placeholder { color: gray; }\`;
const classes = "placeholder:text-gray-400 placeholder-shown:border";
const names = { 501: "Not Implemented", 502: "Bad Gateway" };
expect(() => run()).toThrow("not implemented");
const re = /\`[^\`]*\`/g;
`,
    },
    expect: [],
  },
  {
    name: "stubs that throw",
    language,
    before: { "src/a.ts": "export function add(a: number, b: number) {\n  return a + b;\n}\n" },
    after: {
      "src/a.ts": `export function add(a: number, b: number) {
  throw new Error("not implemented");
}
export function sub() {
  throw new Error("TODO");
}
export function mul() {
  throw new NotImplementedError();
}
export const div = () => Promise.reject(new Error("Method not implemented."));
`,
    },
    expect: [2, 5, 8, 10].map((line) => ({ gate: "G02", path: "src/a.ts", line }) as const),
  },
  {
    name: "errors that are about todos are no stubs",
    language,
    before: {},
    after: { "src/a.ts": 'export function find(id: string) {\n  throw new Error("todo not found");\n}\nexport const status = () => new Error("Stub server did not answer");\n' },
    expect: [],
  },
  {
    name: "functions and methods with empty bodies",
    language,
    before: {},
    after: {
      "src/a.ts": `export function save(post: Post) {}
export async function load(
  id: string,
  options: Options = {},
): Promise<void> {
}
export const publish = async (post: Post): Promise<void> => {};
export class Store {
  constructor(private readonly db: Db) {}
  insert(post: Post): void {}
  async remove(id: string) {
  }
}
`,
    },
    expect: [1, 5, 7, 10, 11].map((line) => ({ gate: "G02", path: "src/a.ts", line }) as const),
  },
  {
    name: "empty bodies that are meant",
    language,
    before: {},
    after: {
      "src/a.ts": `export function noop() {}
const unsubscribe = () => {};
let resolve = () => {};
promise.catch(() => {});
const view = <button onClick={() => {}} />;
export function start(callback = () => {}, options = {}) {
  return callback(options);
}
class NullLogger {
  write(line: string) {}
}
class Widget extends Base {
  constructor() { super(); }
  onDestroy() {}
  dispose(): void {}
  accept(_visitor: Visitor) {}
  flushNow() {
    // Every write is synchronous.
  }
}
if (ready) {}
for (const _ of iterator) {}
try { close(); } catch {}
const empty = {};
export class NotFound extends Error {}
export interface Empty {}
function withDefaults(input = {}): Result {
  return input;
}
`,
      "src/types.d.ts": "export declare class A { save(): void {} }\n",
      "test/doubles.ts": "export class Doubles { save(post: Post): void {} }\n",
    },
    expect: [],
  },
  {
    name: "tests without a body",
    language,
    before: {},
    after: { "src/a.test.ts": 'it("adds", () => {});\ntest("subtracts", async () => {\n});\nit.todo("divides");\nit("multiplies", () => {\n  expect(2 * 3).toBe(6);\n});\n' },
    expect: [1, 2, 4].map((line) => ({ gate: "G02", path: "src/a.test.ts", line }) as const),
  },
  {
    name: "old marks that are moved, indented or stand beside changed code",
    language,
    before: { "src/a.ts": "// TODO: drop in v2\nexport const a = 1; // FIXME slow\nexport const z = 0;\n", "src/old.ts": "// HACK for node 18\nexport function later() {}\n" },
    after: { "src/a.ts": "export const z = 0;\nif (z) {\n  // TODO: drop in v2\n}\nexport const a = 2; // FIXME slow\n", "src/new.ts": "// HACK for node 18\nexport function later() {}\n" },
    expect: [],
  },
  {
    name: "a second copy of an old mark is a new one",
    language,
    before: { "src/a.ts": "// TODO: drop\n" },
    after: { "src/a.ts": "const a = 1;\n// TODO: drop\nconst b = 1;\n// TODO: drop\n" },
    expect: [{ gate: "G02", path: "src/a.ts", line: 2 }],
  },
  {
    name: "untouched old marks in a changed file",
    language,
    before: { "src/a.ts": "// TODO: drop\nconst a = 1;\n" },
    after: { "src/a.ts": "// TODO: drop\nconst a = 2;\n" },
    expect: [],
  },
  {
    name: "line endings turned to CRLF keep old marks old",
    language,
    before: { "src/a.ts": "// TODO: drop\nconst a = 1;\n" },
    after: { "src/a.ts": "// TODO: drop\r\nconst a = 1;\r\n" },
    expect: [],
  },
  {
    name: "a source file that git takes for binary",
    language,
    before: {},
    after: { "src/a.ts": "// TODO hidden\n\0\n", "assets/logo.png": "\u0089PNG\0\0" },
    expect: [{ gate: "G02", path: "src/a.ts" }, { gate: "G09", path: "assets/logo.png" }],
  },
  {
    name: "a stub that answers 501, and one that returns its name",
    language,
    before: {},
    after: { "src/a.js": 'app.get("/posts", (req, res) => res.status(501).json({ error: "Not implemented" }));\nexport const render = () => "placeholder";\n' },
    expect: [1, 2].map((line) => ({ gate: "G02", path: "src/a.js", line }) as const),
  },
];
