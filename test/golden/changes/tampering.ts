import type { ChangeCase } from "./case.ts";

const at = (path: string, ...lines: number[]) => lines.map((line) => ({ gate: "G05", path, line }) as const);
const on = (...paths: string[]) => paths.map((path) => ({ gate: "G05", path }) as const);

const scriptTests = `import { expect, it } from "vitest";
import { add } from "./add.ts";

it("adds", () => {
  expect(add(1, 2)).toBe(3);
  expect(add(2, 2)).toBe(4);
});

it("refuses text", () => {
  expect(() => add("a", 1)).toThrow("not a number");
});

it("takes zero", () => {
  expect(add(0, 0)).toBe(0);
});
`;
const pythonTests = `import pytest

from app.add import add


def test_adds():
    assert add(1, 2) == 3
    assert add(2, 2) == 4


def test_refuses_text():
    with pytest.raises(TypeError):
        add("a", 1)


def test_takes_zero():
    assert add(0, 0) == 0
`;
const goTests = `package add

import "testing"

func TestAdds(t *testing.T) {
	if got := Add(1, 2); got != 3 {
		t.Errorf("got %d", got)
	}
}

func TestZero(t *testing.T) {
	if got := Add(0, 0); got != 0 {
		t.Fatalf("got %d", got)
	}
}
`;
const rustTests = `pub fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
        assert_eq!(add(2, 2), 4);
    }

    #[test]
    fn takes_zero() {
        assert_eq!(add(0, 0), 0);
    }
}
`;
const javaTests = `class AdderTest {
    @Test
    void adds() {
        assertEquals(3, Adder.add(1, 2));
        assertEquals(4, Adder.add(2, 2));
    }

    @Test
    void takesZero() {
        assertEquals(0, Adder.add(0, 0));
    }
}
`;

const withoutLast = (text: string, from: string) => `${text.slice(0, text.indexOf(from)).trimEnd()}\n`;
const swap = (text: string, ...pairs: readonly (readonly [string, string])[]) => pairs.reduce((now, [from, to]) => now.replace(from, to), text);

/** Tests, checks and snapshots that were made to hold the code to less. */
export const tamperingCases: readonly ChangeCase[] = [
  {
    name: "test files deleted, and one renamed to what no runner finds",
    language: "mixed",
    before: { "src/add.test.ts": scriptTests, "tests/test_add.py": pythonTests, "add_test.go": goTests, "src/test/java/AdderTest.java": javaTests, "spec/add_spec.rb": 'it "adds" do\nend\n' },
    after: { "src/add.test.ts.bak": scriptTests, "src/add.ts": "export {};\n" },
    expect: [...on("add_test.go", "spec/add_spec.rb", "src/add.test.ts", "src/test/java/AdderTest.java", "tests/test_add.py"), { gate: "G09", path: "src/add.test.ts.bak" }],
  },
  {
    name: "test files deleted as the spec says, and moved",
    language: "mixed",
    spec: { deletes: ["src/old.test.ts"] },
    before: { "src/old.test.ts": scriptTests.replaceAll("add", "old"), "tests/test_add.py": pythonTests, "src/add.test.ts": scriptTests, "add_test.go": goTests },
    after: { "tests/unit/test_add.py": pythonTests, "test/add.test.ts": scriptTests.replace("./add", "../src/add"), "sum_test.go": goTests },
    expect: [],
  },
  {
    name: "fewer tests",
    language: "mixed",
    before: { "src/add.test.ts": scriptTests, "tests/test_add.py": pythonTests, "add_test.go": goTests, "src/lib.rs": rustTests, "src/test/java/AdderTest.java": javaTests },
    after: {
      "src/add.test.ts": withoutLast(scriptTests, 'it("takes zero"'),
      "tests/test_add.py": withoutLast(pythonTests, "def test_takes_zero"),
      "add_test.go": withoutLast(goTests, "func TestZero"),
      "src/lib.rs": `${withoutLast(rustTests, "    #[test]\n    fn takes_zero")}}\n`,
      "src/test/java/AdderTest.java": `${withoutLast(javaTests, "    @Test\n    void takesZero")}}\n`,
    },
    expect: on("add_test.go", "src/add.test.ts", "src/lib.rs", "src/test/java/AdderTest.java", "tests/test_add.py"),
  },
  {
    name: "tests that are commented out or lose their mark",
    language: "mixed",
    before: { "src/add.test.ts": scriptTests, "tests/test_add.py": pythonTests, "src/lib.rs": rustTests },
    after: {
      "src/add.test.ts": scriptTests.replace(/it\("takes zero"[\s\S]*/, (text) => text.replace(/^/gm, "// ")),
      "tests/test_add.py": pythonTests.replace("def test_takes_zero", "def _takes_zero"),
      "src/lib.rs": rustTests.replace("    #[test]\n    fn takes_zero", "    #[allow(dead_code, reason = \"kept for the next release\")]\n    fn takes_zero"),
    },
    expect: on("src/add.test.ts", "src/lib.rs", "tests/test_add.py"),
  },
  {
    name: "fewer assertions",
    language: "mixed",
    before: { "src/add.test.ts": scriptTests, "tests/test_add.py": pythonTests, "add_test.go": goTests, "src/lib.rs": rustTests, "src/test/java/AdderTest.java": javaTests },
    after: {
      "src/add.test.ts": scriptTests.replace("  expect(add(2, 2)).toBe(4);\n", ""),
      "tests/test_add.py": pythonTests.replace("    assert add(2, 2) == 4\n", ""),
      "add_test.go": goTests.replace('\tif got := Add(0, 0); got != 0 {\n\t\tt.Fatalf("got %d", got)\n\t}\n', "\t_ = Add(0, 0)\n"),
      "src/lib.rs": rustTests.replace("        assert_eq!(add(2, 2), 4);\n", ""),
      "src/test/java/AdderTest.java": javaTests.replace("        assertEquals(4, Adder.add(2, 2));\n", ""),
    },
    expect: [...at("add_test.go", 12), ...at("src/add.test.ts", 5), ...at("src/lib.rs", 11), ...at("src/test/java/AdderTest.java", 4), ...at("tests/test_add.py", 7)],
  },
  {
    name: "tests renamed, split, merged into a table, and assertions merged into one",
    language: "mixed",
    before: { "src/add.test.ts": scriptTests, "tests/test_add.py": pythonTests, "src/lib.rs": rustTests, "src/test/java/AdderTest.java": javaTests, "src/user.test.ts": 'it("reads", () => {\n  const user = read();\n  expect(user.name).toBe("a");\n  expect(user.mail).toBe("b");\n});\n' },
    after: {
      "src/add.test.ts": 'import { expect, it } from "vitest";\nimport { add } from "./add.ts";\n\nit.each([\n  [1, 2, 3],\n  [2, 2, 4],\n  [0, 0, 0],\n])("adds %i and %i", (a, b, sum) => {\n  expect(add(a, b)).toBe(sum);\n});\n\nit("refuses text", () => {\n  expect(() => add("a", 1)).toThrow("not a number");\n});\n',
      "tests/test_add.py": pythonTests.replace("def test_adds():\n    assert add(1, 2) == 3\n", "def test_adds_small():\n    assert add(1, 2) == 3\n\n\ndef test_adds_equal():\n"),
      "src/lib.rs": rustTests.replace("fn takes_zero", "fn takes_two_zeros"),
      "src/test/java/AdderTest.java": javaTests.replace("void takesZero", "void takesTwoZeros"),
      "src/user.test.ts": 'it("reads", () => {\n  const user = read();\n  expect(user).toEqual({ name: "a", mail: "b" });\n});\n',
    },
    expect: [],
  },
  {
    name: "a function that goes with the tests that name it",
    language: "mixed",
    before: { "src/add.ts": "export function add(a, b) {\n  return a + b;\n}\nexport function addAll(list) {\n  return list.reduce(add, 0);\n}\n", "src/add.test.ts": `${scriptTests}\nit("adds all", () => {\n  expect(addAll([1, 2])).toBe(3);\n});\n`, "app/add.py": "def add(a, b):\n    return a + b\n\n\ndef add_all(items):\n    return sum(items)\n", "tests/test_add.py": `${pythonTests}\n\ndef test_add_all():\n    assert add_all([1]) == 1\n` },
    after: { "src/add.ts": "export function add(a, b) {\n  return a + b;\n}\n", "src/add.test.ts": scriptTests, "app/add.py": "def add(a, b):\n    return a + b\n", "tests/test_add.py": pythonTests },
    expect: [],
  },
  {
    name: "assertions that always hold",
    language: "mixed",
    before: { "src/add.test.ts": scriptTests, "tests/test_add.py": pythonTests, "src/lib.rs": rustTests, "src/test/java/AdderTest.java": javaTests, "add_test.go": goTests },
    after: {
      "src/add.test.ts": swap(scriptTests, ["expect(add(1, 2)).toBe(3)", "expect(true).toBe(true)"], ["expect(add(2, 2)).toBe(4)", "expect(sum).toEqual(sum)"], ["expect(add(0, 0)).toBe(0)", "expect(1).toBeTruthy()"]),
      "tests/test_add.py": swap(pythonTests, ["assert add(1, 2) == 3", "assert True"], ["assert add(2, 2) == 4", "assert add(2, 2) == 4 or True"], ["assert add(0, 0) == 0", "assert 1 == 1"]),
      "src/lib.rs": swap(rustTests, ["assert_eq!(add(1, 2), 3)", "assert!(true)"], ["assert_eq!(add(2, 2), 4)", "assert_eq!(sum, sum)"]),
      "src/test/java/AdderTest.java": swap(javaTests, ["assertEquals(3, Adder.add(1, 2))", "assertTrue(true)"], ["assertEquals(4, Adder.add(2, 2))", "assertEquals(4, 4)"]),
      "add_test.go": 'package add\n\nimport "testing"\n\nfunc TestAdds(t *testing.T) {\n\tassert.True(t, true)\n\trequire.Equal(t, got, got)\n}\n\nfunc TestZero(t *testing.T) {\n\tassert.Equal(t, 0, Add(0, 0))\n}\n',
    },
    expect: [...at("add_test.go", 6, 7), ...at("src/add.test.ts", 5, 6, 14), ...at("src/lib.rs", 11, 12), ...at("src/test/java/AdderTest.java", 4, 5), ...at("tests/test_add.py", 7, 8, 17)],
  },
  {
    name: "assertions that ask for less than the ones they replace",
    language: "mixed",
    before: { "src/a.test.ts": 'it("reads", () => {\n  expect(user.name).toBe("a");\n  expect(load).toThrow("no file");\n});\n', "tests/test_a.py": "def test_reads():\n    assert user.name == \"a\"\n", "a_test.go": "package a\n\nfunc TestReads(t *testing.T) {\n\trequire.Equal(t, 3, count)\n}\n", "src/test/java/ATest.java": "class ATest {\n    @Test\n    void reads() {\n        assertEquals(3, list.size());\n    }\n}\n", "tests/a.rs": "#[test]\nfn reads() {\n    assert_eq!(answer, Ok(3));\n}\n" },
    after: { "src/a.test.ts": 'it("reads", () => {\n  expect(user.name).toBeDefined();\n  expect(load).toThrow();\n});\n', "tests/test_a.py": "def test_reads():\n    assert user.name is not None\n", "a_test.go": "package a\n\nfunc TestReads(t *testing.T) {\n\trequire.NotNil(t, count)\n}\n", "src/test/java/ATest.java": "class ATest {\n    @Test\n    void reads() {\n        assertNotNull(list);\n    }\n}\n", "tests/a.rs": "#[test]\nfn reads() {\n    assert!(answer.is_ok());\n}\n" },
    expect: [...at("a_test.go", 4), ...at("src/a.test.ts", 2, 3), ...at("src/test/java/ATest.java", 4), ...at("tests/a.rs", 3), ...at("tests/test_a.py", 2)],
  },
  {
    name: "assertions that only look as if they always held",
    language: "mixed",
    before: { "src/a.test.ts": "it(\"old\", () => {\n  expect(run()).toBe(1);\n});\n" },
    after: {
      "src/a.test.ts": 'it("old", () => {\n  expect(run()).toBe(2);\n});\nit("remembers", () => {\n  expect(load("a")).toBe(load("a"));\n  expect(true).toBe(isReady);\n  expect(await ready()).toBe(true);\n  expect(list).toBeDefined();\n});\nit("is reflexive", () => {\n  expect(a).toEqual(a);\n});\n',
      "tests/test_a.py": "def test_it():\n    assert result is True\n    assert a == b == 1\n    assert next(it) == next(it)\n    assert value\n\n\ndef test_equality_with_itself():\n    assert point == point\n",
      "src/test/java/PointTest.java": "class PointTest {\n    @Test\n    void equalsItself() {\n        assertEquals(point, point);\n        assertTrue(point.equals(point));\n        assertTrue(isTrue);\n    }\n}\n",
      "tests/a.rs": "#[test]\nfn works() {\n    assert!(ready);\n    assert_eq!(make(), make());\n}\n",
      "a_test.go": 'package a\n\nfunc TestA(t *testing.T) {\n\tassert.True(t, ok)\n\trequire.NotNil(t, got)\n\trequire.Equal(t, want, got)\n}\n',
    },
    expect: [],
  },
  {
    name: "tests skipped and focused",
    language: "mixed",
    before: { "src/add.test.ts": scriptTests, "tests/test_add.py": pythonTests, "add_test.go": goTests, "src/lib.rs": rustTests, "src/test/java/AdderTest.java": javaTests },
    after: {
      "src/add.test.ts": swap(scriptTests, ['it("adds"', 'it.skip("adds"'], ['it("refuses', 'it.only("refuses'], ['it("takes', 'xit("takes']),
      "tests/test_add.py": swap(pythonTests, ["def test_adds", "@pytest.mark.skip(reason=\"slow\")\ndef test_adds"], ["def test_refuses", "@pytest.mark.xfail\ndef test_refuses"], ["    assert add(0, 0)", "    pytest.skip(\"later\")\n    assert add(0, 0)"]),
      "add_test.go": swap(goTests, ["\tif got := Add(1", '\tt.Skip("flaky")\n\tif got := Add(1']),
      "src/lib.rs": swap(rustTests, ["    #[test]\n    fn adds", "    #[test]\n    #[ignore]\n    fn adds"]),
      "src/test/java/AdderTest.java": swap(javaTests, ["    @Test\n    void adds", "    @Disabled\n    @Test\n    void adds"]),
      "AdderTests.cs": "public class AdderTests\n{\n    [Fact(Skip = \"slow\")]\n    public void Adds() { Assert.Equal(3, Add(1, 2)); }\n}\n",
      "src/AdderTest.kt": "class AdderTest {\n    @Ignore\n    @Test fun adds() { assertEquals(3, add(1, 2)) }\n}\n",
    },
    expect: [...at("AdderTests.cs", 3), ...at("add_test.go", 6), ...at("src/AdderTest.kt", 2), ...at("src/add.test.ts", 4, 9, 13), ...at("src/lib.rs", 10), ...at("src/test/java/AdderTest.java", 2), ...at("tests/test_add.py", 6, 12, 19)],
  },
  {
    name: "skips that depend on the machine, and words that only look like skips",
    language: "mixed",
    before: { "src/old.test.ts": 'it.skip("was skipped before", () => {\n  expect(a).toBe(1);\n});\n' },
    after: {
      "src/old.test.ts": 'it.skip("was skipped before", () => {\n  expect(a).toBe(2);\n});\n',
      "src/a.test.ts": 'it.skipIf(process.platform === "win32")("links", () => {\n  expect(link()).toBe(1);\n});\ntest("picks only the first", async ({ page }) => {\n  test.skip(isMobile, "no keyboard there");\n  expect(list.only(2)).toBe(pick.skip(1));\n});\nbeforeEach(function () {\n  if (!hasDocker) this.skip();\n});\n',
      "tests/test_a.py": "@pytest.mark.skipif(sys.platform == \"win32\", reason=\"posix\")\ndef test_fork():\n    if not has_docker():\n        pytest.skip(\"needs docker\")\n    assert skip(1) == 2\n",
      "a_test.go": 'package a\n\nfunc TestLong(t *testing.T) {\n\tif testing.Short() {\n\t\tt.Skip("long")\n\t}\n\tif runtime.GOOS == "windows" {\n\t\tt.Skipf("not on %s", runtime.GOOS)\n\t}\n\trequire.Equal(t, 1, Run())\n}\n',
      "tests/a.rs": '#[test]\n#[cfg_attr(miri, ignore)]\nfn runs() {\n    assert_eq!(run(), 1);\n}\n',
      "src/test/java/ATest.java": "class ATest {\n    @Test\n    @DisabledOnOs(OS.WINDOWS)\n    void links() {\n        assumeTrue(hasDocker());\n        assertEquals(1, run());\n    }\n}\n",
    },
    expect: [],
  },
  {
    name: "checks turned off without a reason, or altogether",
    language: "mixed",
    before: {},
    after: {
      "src/a.ts": "// eslint-disable-next-line no-console\nconsole.log(1);\n// @ts-ignore\nconst a: number = text;\n/* eslint-disable */\n// @ts-nocheck\n// biome-ignore lint/suspicious/noExplicitAny: x\nconst b = c as any;\n/* v8 ignore next */\n",
      "app/a.py": "import os  # noqa: F401\nx = y  # type: ignore\n# pylint: disable=all\nif z:  # pragma: no cover\n    run()\n",
      "a.go": "package a\n\nfunc f() {\n\tclose() //nolint\n\tclose() //nolint:errcheck\n}\n",
      "src/lib.rs": "#![allow(warnings)]\n#[allow(dead_code)]\nfn f() -> u32 { 1 }\n",
      "A.java": 'class A {\n    @SuppressWarnings("unchecked")\n    int f() { return 1; } // NOSONAR\n}\n',
      "A.cs": "#pragma warning disable CS0168\nclass A { }\n",
    },
    expect: [...at("A.cs", 1), ...at("A.java", 2, 3), ...at("a.go", 4, 5), ...at("app/a.py", 1, 2, 3, 4), ...at("src/a.ts", 1, 3, 5, 6, 7, 9), ...at("src/lib.rs", 1, 2)],
  },
  {
    name: "checks turned off for a named rule and a reason, moved, and spoken of",
    language: "mixed",
    before: { "src/old.ts": "// eslint-disable-next-line no-console\nconsole.log(1);\n" },
    after: {
      "src/new.ts": "// eslint-disable-next-line no-console\nconsole.log(1);\n// eslint-disable-next-line no-await-in-loop -- each page depends on the one before\nawait load();\n// @ts-expect-error the published types lack this overload\nsend(1, 2);\nconst text = \"eslint-disable-next-line\";\n// The reply has no types of its own yet.\n// biome-ignore lint/suspicious/noExplicitAny: see above\nconst reply = body as any;\n",
      "app/a.py": "# Re-exported for callers of the old path.\nfrom app.b import run  # noqa: F401\nvalue = load()  # type: ignore[attr-defined]  # stubs are behind the release\nname = \"noqa\"\n",
      "a.go": "package a\n\nfunc f() {\n\tdefer file.Close() //nolint:errcheck // read only, nothing can be lost\n}\n",
      "src/lib.rs": "#[allow(clippy::too_many_arguments, reason = \"mirrors the C function\")]\nfn f(a: u32) -> u32 { a }\n",
      "A.java": "class A {\n    // The map is only ever filled by put(Key, Value) above.\n    @SuppressWarnings(\"unchecked\")\n    int f() { return 1; }\n}\n",
      "docs/lint.md": "Write `// eslint-disable-next-line no-console` or `# noqa` with a reason.\n",
    },
    expect: [],
  },
  {
    name: "thresholds lowered and rules turned down",
    language: "config",
    before: {
      "vitest.config.ts": "export default {\n  test: {\n    coverage: { thresholds: {\n      lines: 90,\n      branches: 80,\n    } },\n  },\n};\n",
      "pyproject.toml": "[tool.coverage.report]\nfail_under = 85\n",
      "tsconfig.json": '{\n  "compilerOptions": {\n    "strict": true,\n    "skipLibCheck": false\n  }\n}\n',
      ".eslintrc.json": '{\n  "rules": {\n    "no-console": "error"\n  }\n}\n',
      "build.gradle": "minimum = 0.8\n",
    },
    after: {
      "vitest.config.ts": "export default {\n  test: {\n    coverage: { thresholds: {\n      lines: 60,\n    } },\n  },\n};\n",
      "pyproject.toml": "[tool.coverage.report]\nfail_under = 50\n",
      "tsconfig.json": '{\n  "compilerOptions": {\n    "strict": false,\n    "skipLibCheck": true\n  }\n}\n',
      ".eslintrc.json": '{\n  "rules": {\n    "no-console": "off"\n  }\n}\n',
      "build.gradle": "minimum = 0.5\n",
    },
    expect: [...at(".eslintrc.json", 3), ...at("build.gradle", 1), ...at("pyproject.toml", 2), ...at("tsconfig.json", 3, 4), ...at("vitest.config.ts", 4, 4)],
  },
  {
    name: "thresholds raised, rules turned up, and numbers that are no thresholds",
    language: "config",
    before: { "vitest.config.ts": "export default {\n  test: { coverage: { lines: 80 } },\n  server: { timeout: 900 },\n};\n", "tsconfig.json": '{\n  "compilerOptions": {\n    "noUnusedLocals": false,\n    "target": "es2020"\n  }\n}\n', "src/page.ts": "export const lines = 90;\n" },
    after: { "vitest.config.ts": "export default {\n  test: { coverage: { lines: 85 } },\n  server: { timeout: 300 },\n};\n", "tsconfig.json": '{\n  "compilerOptions": {\n    "noUnusedLocals": true,\n    "target": "es2022"\n  }\n}\n', "src/page.ts": "export const lines = 40;\n" },
    expect: [],
  },
  {
    name: "a snapshot rewritten while the source stays",
    language: "typescript",
    before: { "src/__snapshots__/page.test.ts.snap": "exports[`page 1`] = `\n<p>one</p>\n`;\n", "src/page.test.ts": 'it("page", () => {\n  expect(render()).toMatchSnapshot();\n});\n' },
    after: { "src/__snapshots__/page.test.ts.snap": "exports[`page 1`] = `\n<p></p>\n`;\n", "src/page.test.ts": 'it("page", () => {\n  expect(render(1)).toMatchSnapshot();\n});\n' },
    expect: at("src/__snapshots__/page.test.ts.snap", 2),
  },
  {
    name: "snapshots that change with their source, come with a test, or follow a new name",
    language: "typescript",
    before: { "src/__snapshots__/page.test.ts.snap": "exports[`page 1`] = `\n<p>one</p>\n`;\n", "src/page.ts": "export const text = 'one';\n" },
    after: { "src/__snapshots__/page.test.ts.snap": "exports[`page 1`] = `\n<p>two</p>\n`;\n", "src/page.ts": "export const text = 'two';\n" },
    expect: [],
  },
  {
    name: "a snapshot that is added to and renamed with its test alone",
    language: "typescript",
    before: { "src/__snapshots__/page.test.ts.snap": "exports[`page 1`] = `\n<p>one</p>\n`;\n", "src/page.test.ts": 'it("page", () => {\n  expect(render()).toMatchSnapshot();\n});\n' },
    after: { "src/__snapshots__/page.test.ts.snap": "exports[`first page 1`] = `\n<p>one</p>\n`;\n\nexports[`second page 1`] = `\n<p>two</p>\n`;\n", "src/page.test.ts": 'it("first page", () => {\n  expect(render()).toMatchSnapshot();\n});\nit("second page", () => {\n  expect(render(2)).toMatchSnapshot();\n});\n' },
    expect: [],
  },
];
