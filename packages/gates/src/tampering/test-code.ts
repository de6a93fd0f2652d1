import { isTestFile, type Language } from "../language.ts";
import type { LexedLine } from "../lex-lines.ts";

/** How tests look in one language. Patterns are for `code`: no comments, strings empty. */
interface Dialect {
  /** A line that declares a test. Its first group, if it has one, is the test's name. */
  test: RegExp;
  assertion: RegExp;
  /** A line that makes one test out of many rows. */
  table: RegExp;
}

const dialects: Partial<Record<Language, Dialect>> = {
  script: {
    test: /^\s*(?:await\s+)?(?:it|test|specify|fit|xit|xtest|Deno\.test|t\.test)(?:\.(?:only|skip|concurrent|sequential|fails|failing|each|for|prop|runIf|skipIf)\b(?:\([^)]*\)|"")?)*\s*(?:<[^>]*>)?\(/,
    assertion:
      /\bexpect(?:TypeOf|\.(?:soft|poll|unreachable))?\s*[(<]|\bassert(?:\.\w+)*\s*\(|\.should\b|\bt\.(?:is|deepEqual|true|false|throws|like|regex|not|assert|truthy|falsy|equal|ok|same|snapshot)\w*\s*\(|\b(?:assert|expect|check|verify|ensure)[A-Z]\w*\s*\(/,
    table: /\.(?:each|for|prop)\b|^\s*for\s*\(.*\bof\b|\.forEach\s*\(/,
  },
  python: {
    test: /^\s*(?:async\s+)?def\s+(test\w*)\s*\(/,
    assertion: /^\s*assert\b|\bself\.(?:assert|fail)\w*\s*\(|\bpytest\.(?:raises|warns)\b|\bassert_\w+\s*\(|\.assert_\w+\s*\(/,
    table: /parametrize\b|\bsubTest\s*\(|@given\b/,
  },
  go: {
    test: /^func\s+(?:\([^)]*\)\s*)?((?:Test|Benchmark|Fuzz|Example)(?:[A-Z_0-9]\w*)?)\s*\(|\bt\.Run\(""/,
    assertion: /\b[tb]\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\s*\(|\b(?:assert|require|is|must|check)\.[A-Z]\w*\s*\(/,
    table: /\bfor\s+.*:?=\s*range\b|\[\]struct\b|map\[string\]struct\b/,
  },
  rust: {
    test: /^\s*#\[(?:\w+::)*(?:test|rstest|wasm_bindgen_test|quickcheck)\b/,
    assertion: /\b(?:debug_|prop_)?assert\w*!|\bassert_\w+!?\s*\(/,
    table: /#\[(?:case|rstest|test_case|values)\b|^\s*for\b.*\bin\b|\bproptest!/,
  },
  java: {
    test: /^\s*@(?:Test|ParameterizedTest|RepeatedTest|TestFactory|Property)\b/,
    assertion: /\b(?:assert|verify|expect|check|should)\w*\s*[(]|^\s*assert\b/i,
    table: /@(?:ParameterizedTest|ValueSource|CsvSource|MethodSource|EnumSource|ArgumentsSource|RepeatedTest)\b/,
  },
  kotlin: {
    test: /^\s*@(?:Test|ParameterizedTest|RepeatedTest)\b|^\s*(?:test|should|it)\(""\)/,
    assertion: /\b(?:assert|verify|expect|check|should)\w*\s*[({]|\bshould\w+\b/i,
    table: /@(?:ParameterizedTest|ValueSource|CsvSource|MethodSource|EnumSource)\b|\bforAll\b|\bwithData\b/,
  },
  swift: {
    test: /^\s*(?:\w+\s+)*func\s+(test\w+)\s*\(|^\s*@Test\b/,
    assertion: /\bXCT(?:Assert|Fail|Unwrap)\w*\s*\(|#(?:expect|require)\b/,
    table: /\barguments:/,
  },
  csharp: {
    test: /^\s*\[(?:Fact|Theory|Test|TestMethod|TestCase|DataTestMethod)\b/,
    assertion: /\b(?:\w*Assert)\.\w+|\.Should\w*\(|\.Verify\w*\(|\.Received\w*\(/,
    table: /\[(?:Theory|InlineData|MemberData|TestCaseSource|DataRow)\b/,
  },
};

/** Ruby, PHP, Elixir, Dart, C++ …: where the file's name says that it holds tests. */
const anyDialect: Dialect = {
  test: /^\s*(?:it|test|specify|scenario)[\s(]+["']|^\s*def\s+(test_\w+)|\bfunction\s+(test\w+)\s*\(|^\s*TEST(?:_F|_P)?\s*\(/,
  assertion: /\b(?:assert|expect|should|must|refute|EXPECT_|ASSERT_)\w*\b/,
  table: /\bfor\b|\.each\b|dataProvider|INSTANTIATE_TEST/,
};

export function dialectOf(path: string, language: Language): Dialect | undefined {
  const dialect = dialects[language];
  if (dialect !== undefined) return dialect;
  return (language === "hash" || language === "brace") && isTestFile(path) ? anyDialect : undefined;
}

/** A test as its declaration shows it, with the lines that follow it up to the next one. */
export interface TestCase {
  /** Its name, or as much of its declaration as tells it from others. */
  title: string;
  line: number;
  block: readonly LexedLine[];
}

/** The tests that runs of lines declare. */
export function testsIn(runs: readonly (readonly LexedLine[])[], dialect: Dialect): TestCase[] {
  return runs.flatMap((run) => {
    const starts = run.flatMap((line, i) => (dialect.test.test(line.code) ? [i] : []));
    return starts.map((start, n) => {
      const block = run.slice(start, starts[n + 1] ?? run.length);
      return { title: titleOf(block, dialect), line: run[start]?.line ?? 0, block };
    });
  });
}

function titleOf(block: readonly LexedLine[], dialect: Dialect): string {
  const [first] = block;
  const named = dialect.test
    .exec(first?.code ?? "")
    ?.slice(1)
    .find((group) => group !== undefined);
  if (named !== undefined) return named;
  // An attribute stands above the function it marks; other titles are texts, on the line or below.
  const attribute = /^\s*[@#[]/.test(first?.code ?? "");
  for (const line of block.slice(attribute ? 1 : 0, 6)) {
    const name = attribute ? /(?:\b(?:fn|fun|func|void|Task)\s+|^[^=]*?\b)(\w+|``)\s*(?:<[^>]*>)?\(/.exec(line.code)?.[1] : line.strings[0];
    if (name !== undefined && !/^\s*[@#[]/.test(line.code)) return name;
  }
  return "";
}

/** Whether tests are to be expected at a line: in a file for tests, or in the test module of a Rust source. */
export function isTestScope(path: string, language: Language, heading: string): boolean {
  if (isTestFile(path)) return true;
  return language === "rust" && /\bmod\s+\w*tests?\b/.test(heading);
}
