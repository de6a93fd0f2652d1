/** One value of a test: what is given, what comes out. */
export interface Check {
  given: number;
  gives: number;
}

/** How a language writes what commits are made of. Names are words joined by the language's habit. */
export interface Voice {
  language: string;
  source(name: string): string;
  testPath(name: string): string;
  /** Puts functions, or tests, into a whole file. */
  file(name: string, parts: readonly string[]): string;
  testFile(name: string, tests: readonly string[]): string;
  /** A function that adds `by` to what it is given, in two steps. */
  fn(name: string, by: number): string;
  /** The same with a helper that it calls. */
  split(name: string, by: number): string;
  test(title: string, name: string, checks: readonly Check[]): string;
  /** One test over rows. */
  table(title: string, name: string, checks: readonly Check[]): string;
  /** A test that is left out on some machines. */
  conditional(title: string, name: string): string;
  /** Code that only looks unfinished: handlers, interfaces, hooks, unreachable branches. */
  lookalikes(name: string): string;
  /** A check turned off for a reason, and one without. */
  reasoned(name: string): string;
  suppressed: string;
  stubs: readonly ((name: string) => string)[];
  comment(text: string): string;
  /** Makes a test skipped; the text is that of a whole test file. */
  skip(file: string): string;
  tautology: string;
  /** A source line that holds this value as a constant named secret. */
  secret(value: string): string;
  manifest: string;
  lockfile: string;
  dependency(version: string): string;
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const upper = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
const indent = (text: string, by: string) => text.replace(/^(?=.)/gm, by);

const typescript: Voice = {
  language: "typescript",
  source: (name) => `src/${name}.ts`,
  testPath: (name) => `src/${name}.test.ts`,
  file: (_, parts) => `import { limit } from "./limit.ts";\n\n${parts.join("\n\n")}\n`,
  testFile: (name, tests) => `import { describe, expect, it } from "vitest";\nimport * as subject from "./${name}.ts";\n\n${tests.join("\n\n")}\n`,
  fn: (name, by) =>
    `/** Adds ${by} to a value within its limit. */\nexport function ${name}(value: number): number {\n  const bounded = limit(value);\n  return bounded + ${by};\n}`,
  split: (name, by) =>
    `function ${name}Bounded(value: number): number {\n  return limit(value);\n}\n\n/** Adds ${by} to a value within its limit. */\nexport function ${name}(value: number): number {\n  return ${name}Bounded(value) + ${by};\n}`,
  test: (title, name, checks) =>
    `it("${title}", () => {\n${checks.map(({ given, gives }) => `  expect(subject.${name}(${given})).toBe(${gives});`).join("\n")}\n});`,
  table: (title, name, checks) =>
    `it.each([\n${checks.map(({ given, gives }) => `  [${given}, ${gives}],`).join("\n")}\n])("${title} %i", (given, gives) => {\n  expect(subject.${name}(given)).toBe(gives);\n});`,
  conditional: (title, name) => `it.skipIf(process.platform === "win32")("${title}", () => {\n  expect(subject.${name}(7)).toBeGreaterThan(7);\n});`,
  lookalikes: (name) =>
    `export interface ${upper(name)}Listener {\n  onChange(value: number): void;\n}\n\nexport class Silent${upper(name)}Listener implements ${upper(name)}Listener {\n  onChange() {}\n}\n\nexport function ${name}Quietly(stream: { close(): void }): void {\n  try {\n    stream.close();\n  } catch {\n    // It was closed by its owner already.\n  }\n}\n\nexport const noop = (): void => {};\n\nexport function ${name}State(kind: "todo" | "done"): string {\n  switch (kind) {\n    case "todo":\n      return "TODO";\n    case "done":\n      return "DONE";\n    default:\n      throw new Error(\`unknown kind \${String(kind)}\`);\n  }\n}`,
  reasoned: (name) =>
    `// eslint-disable-next-line no-await-in-loop -- each step of ${name} needs the one before\nawait step();\n// @ts-expect-error the published types of the client lack this overload\nclient.send(1, 2);`,
  suppressed: "// eslint-disable-next-line no-console\nconsole.log(1);",
  stubs: [
    (name) => `export function ${name}(value: number): number {\n  throw new Error("not implemented");\n}`,
    (name) => `export function ${name}(value: number): void {}`,
    (name) => `export function ${name}(): number {\n  // TODO: compute it\n  return 0;\n}`,
  ],
  comment: (text) => `// ${text}`,
  skip: (file) => file.replace(/\bit\(/, "it.skip("),
  tautology: "  expect(true).toBe(true);",
  secret: (value) => `const apiToken = "${value}";`,
  manifest: "package.json",
  lockfile: "package-lock.json",
  dependency: (version) =>
    `{\n  "name": "shop",\n  "scripts": {\n    "test": "vitest run"\n  },\n  "dependencies": {\n    "zod": "${version}"\n  }\n}\n`,
};

const python: Voice = {
  language: "python",
  source: (name) => `shop/${snake(name)}.py`,
  testPath: (name) => `tests/test_${snake(name)}.py`,
  file: (_, parts) => `"""Amounts of the shop."""\n\nfrom shop.limits import limit\n\n\n${parts.join("\n\n\n")}\n`,
  testFile: (name, tests) => `import pytest\n\nfrom shop import ${snake(name)} as subject\n\n\n${tests.join("\n\n\n")}\n`,
  fn: (name, by) =>
    `def ${snake(name)}(value: int) -> int:\n    """Adds ${by} to a value within its limit."""\n    bounded = limit(value)\n    return bounded + ${by}`,
  split: (name, by) =>
    `def _${snake(name)}_bounded(value: int) -> int:\n    return limit(value)\n\n\ndef ${snake(name)}(value: int) -> int:\n    """Adds ${by} to a value within its limit."""\n    return _${snake(name)}_bounded(value) + ${by}`,
  test: (title, name, checks) =>
    `def test_${title.replaceAll(" ", "_")}():\n${checks.map(({ given, gives }) => `    assert subject.${snake(name)}(${given}) == ${gives}`).join("\n")}`,
  table: (title, name, checks) =>
    `@pytest.mark.parametrize(\n    ("given", "gives"),\n    [\n${checks.map(({ given, gives }) => `        (${given}, ${gives}),`).join("\n")}\n    ],\n)\ndef test_${title.replaceAll(" ", "_")}(given, gives):\n    assert subject.${snake(name)}(given) == gives`,
  conditional: (title, name) =>
    `@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX clock")\ndef test_${title.replaceAll(" ", "_")}():\n    if not has_clock():\n        pytest.skip("no clock on this machine")\n    assert subject.${snake(name)}(7) > 7`,
  lookalikes: (name) =>
    `class ${upper(name)}Error(Exception):\n    pass\n\n\nclass Base${upper(name)}(ABC):\n    @abstractmethod\n    def run(self, value: int) -> int:\n        raise NotImplementedError\n\n\nclass ${upper(name)}Reader(Protocol):\n    def read(self, size: int) -> bytes: ...\n\n\ndef close_${snake(name)}(stream) -> None:\n    try:\n        stream.close()\n    except OSError:\n        pass\n\n\ndef noop(*args, **kwargs) -> None:\n    pass`,
  reasoned: (name) =>
    `# Kept for callers of the old path of ${name}.\nfrom shop.old import total  # noqa: F401\nreply = client.send(1, 2)  # type: ignore[call-arg]  # stubs are behind the release`,
  suppressed: "value = load()  # type: ignore",
  stubs: [
    (name) => `def ${snake(name)}(value: int) -> int:\n    raise NotImplementedError`,
    (name) => `def ${snake(name)}(value: int) -> None:\n    pass`,
    (name) => `def ${snake(name)}() -> int:\n    # FIXME: compute it\n    return 0`,
  ],
  comment: (text) => `# ${text}`,
  skip: (file) => file.replace(/^def test_/m, '@pytest.mark.skip(reason="slow")\ndef test_'),
  tautology: "    assert True",
  secret: (value) => `API_TOKEN = "${value}"`,
  manifest: "pyproject.toml",
  lockfile: "uv.lock",
  dependency: (version) => `[project]\nname = "shop"\ndependencies = ["pydantic==${version}"]\n`,
};

const go: Voice = {
  language: "go",
  source: (name) => `internal/${name.toLowerCase()}/${name.toLowerCase()}.go`,
  testPath: (name) => `internal/${name.toLowerCase()}/${name.toLowerCase()}_test.go`,
  file: (name, parts) => `package ${name.toLowerCase()}\n\nimport "shop/internal/limits"\n\n${parts.join("\n\n")}\n`,
  testFile: (name, tests) => `package ${name.toLowerCase()}\n\nimport "testing"\n\n${tests.join("\n\n")}\n`,
  fn: (name, by) =>
    `// ${upper(name)} adds ${by} to a value within its limit.\nfunc ${upper(name)}(value int) int {\n\tbounded := limits.Limit(value)\n\treturn bounded + ${by}\n}`,
  split: (name, by) =>
    `func ${name}Bounded(value int) int {\n\treturn limits.Limit(value)\n}\n\n// ${upper(name)} adds ${by} to a value within its limit.\nfunc ${upper(name)}(value int) int {\n\treturn ${name}Bounded(value) + ${by}\n}`,
  test: (title, name, checks) =>
    `func Test${title.split(" ").map(upper).join("")}(t *testing.T) {\n${checks.map(({ given, gives }) => `\tif got := ${upper(name)}(${given}); got != ${gives} {\n\t\tt.Errorf("${upper(name)}(${given}) = %d, want ${gives}", got)\n\t}`).join("\n")}\n}`,
  table: (title, name, checks) =>
    `func Test${title.split(" ").map(upper).join("")}(t *testing.T) {\n\ttests := []struct {\n\t\tgiven, gives int\n\t}{\n${checks.map(({ given, gives }) => `\t\t{${given}, ${gives}},`).join("\n")}\n\t}\n\tfor _, tt := range tests {\n\t\tif got := ${upper(name)}(tt.given); got != tt.gives {\n\t\t\tt.Errorf("got %d, want %d", got, tt.gives)\n\t\t}\n\t}\n}`,
  conditional: (title, name) =>
    `func Test${title.split(" ").map(upper).join("")}(t *testing.T) {\n\tif testing.Short() {\n\t\tt.Skip("takes a minute")\n\t}\n\tif got := ${upper(name)}(7); got < 7 {\n\t\tt.Fatalf("got %d", got)\n\t}\n}`,
  lookalikes: (name) =>
    `// ErrClosed${upper(name)} is returned after Close.\nvar ErrClosed${upper(name)} = errors.New("closed")\n\ntype nop${upper(name)} struct{}\n\nfunc (nop${upper(name)}) Write(value int) {}\n\nfunc (*leaf) isNode() {}\n\nfunc must${upper(name)}(err error) {\n\tif err != nil {\n\t\tpanic(err)\n\t}\n}\n\nvar ctx${upper(name)} = context.TODO()`,
  reasoned: (name) => `func close${upper(name)}(file *os.File) {\n\tdefer file.Close() //nolint:errcheck // read only, nothing can be lost\n}`,
  suppressed: "var _ = load() //nolint",
  stubs: [
    (name) => `func ${upper(name)}(value int) int {\n\tpanic("not implemented")\n}`,
    (name) => `func ${upper(name)}(value int) {}`,
    (name) => `func ${upper(name)}() int {\n\t// TODO: compute it\n\treturn 0\n}`,
  ],
  comment: (text) => `// ${text}`,
  skip: (file) => file.replace(/\(t \*testing\.T\) \{\n/, '(t *testing.T) {\n\tt.Skip("flaky")\n'),
  tautology: "\tassert.True(t, true)",
  secret: (value) => `const apiToken = "${value}"`,
  manifest: "go.mod",
  lockfile: "go.sum",
  dependency: (version) => `module shop\n\ngo 1.24\n\nrequire github.com/google/uuid v${version}\n`,
};

const rust: Voice = {
  language: "rust",
  source: (name) => `src/${snake(name)}.rs`,
  testPath: (name) => `tests/${snake(name)}.rs`,
  file: (_, parts) => `use crate::limits::limit;\n\n${parts.join("\n\n")}\n`,
  testFile: (name, tests) => `use shop::${snake(name)} as subject;\n\n${tests.join("\n\n")}\n`,
  fn: (name, by) =>
    `/// Adds ${by} to a value within its limit.\npub fn ${snake(name)}(value: i64) -> i64 {\n    let bounded = limit(value);\n    bounded + ${by}\n}`,
  split: (name, by) =>
    `fn ${snake(name)}_bounded(value: i64) -> i64 {\n    limit(value)\n}\n\n/// Adds ${by} to a value within its limit.\npub fn ${snake(name)}(value: i64) -> i64 {\n    ${snake(name)}_bounded(value) + ${by}\n}`,
  test: (title, name, checks) =>
    `#[test]\nfn ${title.replaceAll(" ", "_")}() {\n${checks.map(({ given, gives }) => `    assert_eq!(subject::${snake(name)}(${given}), ${gives});`).join("\n")}\n}`,
  table: (title, name, checks) =>
    `#[test]\nfn ${title.replaceAll(" ", "_")}() {\n    for (given, gives) in [\n${checks.map(({ given, gives }) => `        (${given}, ${gives}),`).join("\n")}\n    ] {\n        assert_eq!(subject::${snake(name)}(given), gives);\n    }\n}`,
  conditional: (title, name) =>
    `#[test]\n#[cfg_attr(miri, ignore)]\nfn ${title.replaceAll(" ", "_")}() {\n    assert!(subject::${snake(name)}(7) > 7);\n}`,
  lookalikes: (name) =>
    `/// \`\`\`\n/// fn main() { todo!() }\n/// \`\`\`\npub trait ${upper(name)}Visitor {\n    fn visit(&mut self, value: i64) {}\n}\n\nimpl Drop for ${upper(name)}Guard {\n    fn drop(&mut self) {}\n}\n\nfn kind_of_${snake(name)}(value: Option<i64>) -> i64 {\n    match value {\n        Some(inner) => inner,\n        None => unreachable!("checked above"),\n    }\n}`,
  reasoned: (name) => `#[allow(clippy::too_many_arguments, reason = "mirrors the C function of ${name}")]\npub fn send(a: i64) -> i64 {\n    a\n}`,
  suppressed: "#[allow(dead_code)]\nconst SPARE: i64 = 1;",
  stubs: [
    (name) => `pub fn ${snake(name)}(value: i64) -> i64 {\n    todo!()\n}`,
    (name) => `pub fn ${snake(name)}(value: i64) {}`,
    (name) => `pub fn ${snake(name)}(value: i64) -> i64 {\n    unimplemented!("later")\n}`,
  ],
  comment: (text) => `// ${text}`,
  skip: (file) => file.replace("#[test]\n", "#[test]\n#[ignore]\n"),
  tautology: "    assert!(true);",
  secret: (value) => `const API_TOKEN: &str = "${value}";`,
  manifest: "Cargo.toml",
  lockfile: "Cargo.lock",
  dependency: (version) => `[package]\nname = "shop"\n\n[dependencies]\nserde = "${version}"\n`,
};

const inClass = (text: string) => indent(text, "    ");
const java: Voice = {
  language: "java",
  source: (name) => `src/main/java/shop/${upper(name)}.java`,
  testPath: (name) => `src/test/java/shop/${upper(name)}Test.java`,
  file: (name, parts) => `package shop;\n\npublic final class ${upper(name)} {\n${parts.map(inClass).join("\n\n")}\n}\n`,
  testFile: (name, tests) =>
    `package shop;\n\nimport static org.junit.jupiter.api.Assertions.assertEquals;\n\nclass ${upper(name)}Test {\n${tests.map(inClass).join("\n\n")}\n}\n`,
  fn: (name, by) =>
    `/** Adds ${by} to a value within its limit. */\npublic static int ${name}(int value) {\n    int bounded = Limits.limit(value);\n    return bounded + ${by};\n}`,
  split: (name, by) =>
    `private static int ${name}Bounded(int value) {\n    return Limits.limit(value);\n}\n\n/** Adds ${by} to a value within its limit. */\npublic static int ${name}(int value) {\n    return ${name}Bounded(value) + ${by};\n}`,
  test: (title, name, checks) =>
    `@Test\nvoid ${camel(title)}() {\n${checks.map(({ given, gives }) => `    assertEquals(${gives}, Amounts.${name}(${given}));`).join("\n")}\n}`,
  table: (title, name, checks) =>
    `@ParameterizedTest\n@CsvSource({\n${checks.map(({ given, gives }) => `    "${given}, ${gives}",`).join("\n")}\n})\nvoid ${camel(title)}(int given, int gives) {\n    assertEquals(gives, Amounts.${name}(given));\n}`,
  conditional: (title, name) =>
    `@Test\n@DisabledOnOs(OS.WINDOWS)\nvoid ${camel(title)}() {\n    assumeTrue(hasClock());\n    assertEquals(8, Amounts.${name}(7));\n}`,
  lookalikes: (name) =>
    `private ${upper(name)}() {}\n\n@Override\npublic void onClosed(Event event) {}\n\npublic void add(int value) {\n    throw new UnsupportedOperationException("immutable");\n}\n\nvoid close${upper(name)}(Closeable stream) {\n    try {\n        stream.close();\n    } catch (IOException e) {\n        // It was closed by its owner already.\n    }\n}`,
  reasoned: (name) => `// Only put(Key, Value) of ${name} fills the map.\n@SuppressWarnings("unchecked")\nint sum() {\n    return 1;\n}`,
  suppressed: '    @SuppressWarnings("unchecked")\n    int spare = 1;',
  stubs: [
    (name) => `public static int ${name}(int value) {\n    throw new UnsupportedOperationException("Not implemented");\n}`,
    (name) => `public void ${name}(int value) {\n}`,
    (name) => `public int ${name}() {\n    // TODO: compute it\n    return 0;\n}`,
  ],
  comment: (text) => `// ${text}`,
  skip: (file) => file.replace("    @Test\n", "    @Disabled\n    @Test\n"),
  tautology: "        assertTrue(true);",
  secret: (value) => `    private static final String API_TOKEN = "${value}";`,
  manifest: "build.gradle",
  lockfile: "gradle.lockfile",
  dependency: (version) => `dependencies {\n    implementation "com.google.guava:guava:${version}"\n}\n`,
};

function camel(title: string): string {
  return title
    .split(" ")
    .map((word, i) => (i === 0 ? word : upper(word)))
    .join("");
}

export const voices: readonly Voice[] = [typescript, python, go, rust, java];
