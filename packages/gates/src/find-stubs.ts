import { findEmptyBodies } from "./find-empty-bodies.ts";
import { findPythonStubs } from "./find-python-stubs.ts";
import { isTestPath, type Language } from "./language.ts";
import type { LexedLine } from "./lex-lines.ts";
import { isUnfinishedMessage, type Stub, type StubScene } from "./stub.ts";

const failingCalls: Partial<Record<Language, RegExp>> = {
  script: /\bthrow\s+(?:new\s+)?[\w.]*(?:Error|Exception)\s*\(|\bPromise\.reject\s*\(/,
  go: /\bpanic\s*\(/,
  rust: /\bpanic!\s*\(/,
  java: /\bthrow\s+new\s+[\w.]*(?:Exception|Error)\s*\(/,
  kotlin: /\bthrow\s+[\w.]*(?:Exception|Error)\s*\(|\berror\s*\(/,
  swift: /\b(?:fatalError|preconditionFailure|assertionFailure)\s*\(/,
  csharp: /\bthrow\s+new\s+[\w.]*Exception\s*\(/,
  python: /\braise\s+[\w.]*(?:Error|Exception)\s*\(/,
};

const stubCalls: Partial<Record<Language, RegExp>> = {
  script: /\bthrow\s+new\s+Not(?:Yet)?Implemented\w*\s*\(|\b(?:it|test|describe)\.todo\s*\(/,
  rust: /\b(?:todo|unimplemented)!\s*[([{]/,
  java: /\bnew\s+NotImplemented(?:Yet)?(?:Exception|Error)\s*\(/,
  kotlin: /\bNotImplementedError\s*\(/,
  csharp: /\bnew\s+(?:System\.)?NotImplementedException\s*\(/,
};

/** All stubs of a run: calls that fail on purpose, and bodies that do nothing. */
export function findStubs(scene: StubScene): Stub[] {
  const { run, language } = scene;
  const stubs = [...findStubCalls(scene), ...findBareFatalErrors(run, language)];
  if (language === "python") stubs.push(...findPythonStubs(scene));
  else stubs.push(...findEmptyBodies(scene));
  return stubs;
}

function findStubCalls({ run, language, path }: StubScene): Stub[] {
  const failing = failingCalls[language];
  // A test double may refuse what its test does not need.
  const double = isTestPath(path) && (language === "csharp" || language === "java" || language === "kotlin");
  const stub = double ? undefined : stubCalls[language];
  return run
    .filter((line) => {
      if (stub?.test(line.code)) return true;
      return failing?.test(line.code) === true && line.strings.some(isUnfinishedMessage);
    })
    .map((line) => ({ line: line.line, text: line.text, key: line.bare.trim() }));
}

/** `fatalError()` without a reason is a stub when it is all a Swift function does. */
function findBareFatalErrors(run: readonly LexedLine[], language: Language): Stub[] {
  if (language !== "swift") return [];
  return run.flatMap((line, i) => {
    const inline = /\bfunc\b.*\{\s*fatalError\(\)\s*\}/.test(line.code);
    const opener = run[i - 1]?.code ?? "";
    const sole = line.code.trim() === "fatalError()" && /\bfunc\b.*\{\s*$/.test(opener);
    return inline || sole ? [{ line: line.line, text: line.text, key: `${sole ? opener.trim() : ""}${line.bare.trim()}` }] : [];
  });
}
