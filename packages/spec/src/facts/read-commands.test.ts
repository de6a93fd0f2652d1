import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { namedFiles, testRunnerOf } from "./command-files.ts";
import { readCommands } from "./read-commands.ts";

const programs = (run: string) =>
  readCommands(run).map(({ program, words, cwd }) => `${cwd} ${[program, ...words.slice(1).map(({ text }) => text)].join("|")}`);

describe("a shell command", () => {
  test.each<[string, string[]]>([
    ["npm test", [". npm|test"]],
    ["A=1 B='x y' npm run build && make -j2", [". npm|run|build", ". make|-j2"]],
    ["cd web && npm test; cd ../api; pytest", [". cd|web", "web npm|test", "web cd|../api", "api pytest"]],
    ["cd /tmp && ls", [". cd|/tmp", "null ls"]],
    ['grep -q "a | b; c" x.md | wc -l', [". grep|-q|a | b; c|x.md", ". wc|-l"]],
    ["(node x.js 2>&1 >out.txt) || true", [". node|x.js", ". true"]],
    ["! test -f x && timeout 5 node y.js", [". test|-f|x", ". node|y.js"]],
    ["echo a\\ b # done; rm x\nls", [". echo|a b", ". ls"]],
    ["$CMD x; `which y` z", []],
    ["for f in *.py; do python $f; done", [". python|$f"]],
  ])("%s", (run, expected) => {
    expect(programs(run)).toEqual(expected);
  });

  test.each<[string, string[]]>([
    ["pytest tests/x.py::test_a -k y", ["tests/x.py"]],
    ["pytest tests/unit", ["tests/unit*"]],
    ["go test ./internal/limit/... -run TestX", ["internal/limit*"]],
    ["node --test --test-name-pattern='a/b.js' test/a.js", ["test/a.js"]],
    ["npx vitest run src/a.test.ts -t 'x/y.ts'", ["src/a.test.ts"]],
    ["cd web && npx jest src/a.test.js", ["web/src/a.test.js"]],
    ["./run.sh test", ["run.sh"]],
    ["grep -c 'src/x.ts' src/y.ts", ["src/y.ts"]],
    ["grep -e src/x.ts src/y.ts", ["src/y.ts"]],
    ["test -f a/b.md", ["a/b.md"]],
    ["test ! -f a/b.md", []],
    ["rm -f a/b.md && mkdir -p c/d.e && curl -o x.json http://h/y.json", []],
    ["node dist/main.js && .venv/bin/pytest /abs/x.py $F/y.py", []],
    ["jq .a < data/in.json", ["data/in.json"]],
    ["docker run nvidia/cuda:11.8.0-base-ubuntu22.04 x.py", []],
  ])("names its files: %s", (run, expected) => {
    const files = readCommands(run).flatMap(namedFiles);
    expect(files.map(({ path, loose }) => `${path}${loose ? "*" : ""}`)).toEqual(expected);
  });

  test.each<[string, string | undefined]>([
    ["python -m pytest x", "pytest"],
    ["npx --yes vitest run", "vitest"],
    ["node --test", "node --test"],
    ["go test ./...", "go test"],
    ["npm test", undefined],
    ["pytestx", undefined],
  ])("has a test runner: %s", (run, runner) => {
    expect(readCommands(run).map(testRunnerOf)[0]).toBe(runner);
  });
});

test("any text is read without throwing, in linear time", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."ab/.-'\"`$(){}|&;<> \n\\#=!"), maxLength: 60 }), (run) => {
      for (const command of readCommands(run)) namedFiles(command);
    }),
    { numRuns: 3000 },
  );
  for (const shape of ["'", '"', "`", "$(", "${", "a ", "&&", ">", "\\", "(", "a=", "#\n"]) {
    const start = performance.now();
    readCommands(shape.repeat(50_000)).flatMap(namedFiles);
    expect(performance.now() - start, shape).toBeLessThan(5000);
  }
});
