import { defaultProtectedPaths, type LintFacts, lintSpecs, type ParsedFile, type Problem, parseSpec } from "@dispatch/spec";

const specs = 1000;
const packages = 50;

/** A set of a thousand specs in a repository of 20,000 files: chains, shared files, globs and symbols of each other. */
export function lintThousand(): { run(): Problem[] } {
  const files = Array.from({ length: 20_000 }, (_, i) => `src/pkg${i % packages}/part${i % 9}/file-${i}.ts`);
  const facts: LintFacts = {
    projects: [
      { id: "demo", hasVerify: false, files, protectedPaths: defaultProtectedPaths, tasks: [], manifests: [], contractFiles: [], contracts: [] },
    ],
    executors: null,
  };
  const set = Array.from({ length: specs }, (_, i) => specNumber(i));
  return { run: () => lintSpecs(set, facts) };
}

function specNumber(i: number): ParsedFile {
  const id = `S${String(i).padStart(4, "0")}-part`;
  const own = `src/pkg${i % packages}/part${i % 9}/file-${i}.ts`;
  const before = `S${String(i - packages).padStart(4, "0")}-part`;
  const depends = i >= packages ? `depends_on: [${before}]\n` : "";
  const wide = i % 10 === 0 ? `, "src/pkg${i % packages}/part${i % 9}/*-${i}*.ts"` : "";
  const text = `---
task_id: ${id}
project: demo
${depends}modifies: [${own}${wide}]
creates: [src/pkg${i % packages}/new-${i}.ts, src/pkg${i % packages}/new-${i}.test.ts]
verify: node --test src/pkg${i % packages}/new-${i}.test.ts
---
## Goal
Add \`makePart${i}(input)\` in src/pkg${i % packages}/new-${i}.ts${i >= packages ? ` on top of \`makePart${i - packages}\`` : ""}.
## Constraints
- at most 200 entries; the clock is a parameter
- a value that is too large is refused with its name and its limit
## Acceptance
- [ ] 200 entries pass: \`node --test --test-name-pattern="full" src/pkg${i % packages}/new-${i}.test.ts\` -> exit 0
- [ ] entry 201 is refused: \`node --test --test-name-pattern="limit" src/pkg${i % packages}/new-${i}.test.ts\` -> exit 0
## Do not
- no change of other packages
`;
  const file = `specs/demo/${id}.md`;
  return { file, parsed: parseSpec({ text, file }) };
}
