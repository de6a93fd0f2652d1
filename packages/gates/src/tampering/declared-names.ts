import type { Hunk } from "../change.ts";
import { isTestPath } from "../language.ts";
import type { LexedLine } from "../lex-lines.ts";
import { hunkOfAdded, hunkOfRemoved, type ReadChange } from "../read-change.ts";

const declarations = [
  /\b(?:function|class|const|let|var|def|func|fun|fn|struct|enum|interface|type|trait|object|record|static|val)\s+(?:\([^)]*\)\s*)?([A-Za-z_$][\w$]*)/g,
  /^\s*(?:(?:public|private|protected|internal|static|final|async|readonly|override|pub|export)\s+)*(?:[\w<>[\],.?]+\s+)?([A-Za-z_$][\w$]*)\s*(?:<[^>]*>)?\([^)]*\)[^;]*\{/g,
  /^\s*(?:(?:public|private|protected|readonly|pub|self\.|this\.)\s*)*["']?([A-Za-z_$][\w$]*)["']?\??\s*[:=](?![=>])/g,
];
const testModule = /\bmod\s+\w*tests?\b/;
const everybodys = new Set("new get set run main init default from into self this value data name result type if for while switch return".split(" "));

/** Names that the source, tests left out, declared before the change and declares no more in the lines it touches. */
export function declaredNames(reads: readonly ReadChange[]): Set<string> {
  const sources = reads.filter(({ change }) => !isTestPath(change.path));
  const gone = namesIn(sources.flatMap(({ change, removed }) => outsideTests(change.hunks, removed, hunkOfRemoved)));
  for (const name of namesIn(sources.flatMap(({ change, added }) => outsideTests(change.hunks, added, hunkOfAdded)))) gone.delete(name);
  return gone;
}

/** Without the test module that a Rust source holds. */
function outsideTests(hunks: readonly Hunk[], runs: ReadChange["added"], hunkOf: typeof hunkOfAdded): LexedLine[] {
  return runs.flatMap((run) => {
    if (testModule.test(hunkOf(hunks, run[0]?.line ?? 0)?.heading ?? "")) return [];
    const start = run.findIndex(({ code }) => testModule.test(code) || /^\s*#\[(?:cfg\(test\)|(?:\w+::)*test\b)/.test(code));
    return start < 0 ? run : run.slice(0, start);
  });
}

function namesIn(lines: readonly LexedLine[]): Set<string> {
  const names = new Set<string>();
  for (const { code } of lines) {
    if (code.length > 1000) continue;
    for (const pattern of declarations) {
      for (const [, name = ""] of code.matchAll(pattern)) if (name.length > 2 && !everybodys.has(name)) names.add(name);
    }
  }
  return names;
}
