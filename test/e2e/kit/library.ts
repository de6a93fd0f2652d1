/** Runs all tests of the library in one process: `node --test` takes one more for every file, a dozen times for every task. */
export const verify = "node test.js";

/** A small library with its own tests, as a repository would hold it. */
export const library: Readonly<Record<string, string>> = {
  "package.json": `${JSON.stringify({ name: "words", version: "1.0.0", type: "module", exports: "./src/index.js", scripts: { test: "node --test" } }, null, 2)}\n`,
  "README.md": "# words\n\nSmall functions on words.\n",
  "src/index.js": 'export { slug } from "./slug.js";\n',
  "src/slug.js": `export function slug(text) {
  if (typeof text !== "string") throw new TypeError("slug takes a text");
  return text.trim().toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
}
`,
  "test.js": `import { readdirSync } from "node:fs";

for (const name of readdirSync("test").filter((file) => file.endsWith(".test.js")).sort()) await import(\`./test/\${name}\`);
`,
  "test/slug.test.js": `import assert from "node:assert/strict";
import { test } from "node:test";
import { slug } from "../src/slug.js";

test("words are joined by dashes", () => assert.equal(slug(" Hello, World "), "hello-world"));
test("what is no text is refused", () => assert.throws(() => slug(7), TypeError));
`,
};

/** A shell script that adds one function to the library, with its test: a change that passes every gate. */
export function addFunction(name: string, body: string): string {
  return `
cat > src/${name}.js <<'END'
export function ${name}(text) {
  if (typeof text !== "string") throw new TypeError("${name} takes a text");
  ${body}
}
END
cat > test/${name}.test.js <<'END'
import assert from "node:assert/strict";
import { test } from "node:test";
import { ${name} } from "../src/${name}.js";

test("${name} gives a text", () => assert.equal(typeof ${name}("some words"), "string"));
test("${name} refuses what is no text", () => assert.throws(() => ${name}(7), TypeError));
END
`;
}
