import { coversAny, type Finding, type Oid } from "@dispatch/core";
import { type Change, type ChangedLine, type Hunk, submoduleMode, symlinkMode } from "./change.ts";
import { quoteLine } from "./clean-output.ts";
import { opensBelow } from "./find-empty-bodies.ts";
import { findMark } from "./find-marks.ts";
import { findStubs } from "./find-stubs.ts";
import { isSourceLanguage, languageOf } from "./language.ts";
import { lexRun, runsOf } from "./lex-lines.ts";
import type { GateInput } from "./policy.ts";
import { hunkOfAdded } from "./read-change.ts";
import type { StubScene } from "./stub.ts";

interface Hit {
  kind: "mark" | "stub";
  line: number;
  text: string;
  word: string;
  /** The same for the same mark or stub wherever it stands. */
  key: string;
}

/**
 * G02: marks of unfinished work and stubs in added lines. What was only moved, re-indented or had code changed beside
 * it is old: each removed occurrence pays for one added one, over all files.
 */
export function judgePlaceholder({ changes, policy, texts }: Pick<GateInput, "changes" | "policy" | "texts">): Finding[] {
  const extra = wordsPattern(policy.placeholderWords);
  const read = changes.filter((change) => change.oldMode !== submoduleMode && change.newMode !== submoduleMode);
  const old = new Map<string, number>();
  for (const change of read) {
    for (const hit of findHits({ path: change.path, lines: change.removedLines, hunks: [], text: undefined }, extra))
      old.set(hit.key, (old.get(hit.key) ?? 0) + 1);
  }
  const findings: Finding[] = [];
  for (const change of read) {
    if (change.newMode === symlinkMode || coversAny(policy.placeholderAllow, change.path)) continue;
    if (change.binary && change.kind !== "deleted" && isSourceLanguage(languageOf(change.path))) findings.push(hiddenFinding(change));
    for (const hit of findHits({ path: change.path, lines: change.addedLines, hunks: change.hunks, text: texts.get(change.newOid) }, extra)) {
      const left = old.get(hit.key) ?? 0;
      if (left > 0) old.set(hit.key, left - 1);
      else findings.push(findingOf(change.path, hit));
    }
  }
  return findings;
}

/** Blobs in which G02 looks below the added lines. */
export function bodiesToRead(changes: readonly Change[]): Oid[] {
  return changes
    .filter(({ kind, path, addedLines }) => kind === "modified" && opensBelow(path, languageOf(path), addedLines))
    .map(({ newOid }) => newOid);
}

interface Side {
  path: string;
  lines: readonly ChangedLine[];
  hunks: readonly Hunk[];
  /** The whole new file, when it was read. */
  text: string | undefined;
}

function findHits({ path, lines, hunks, text }: Side, extra: RegExp | undefined): Hit[] {
  const language = languageOf(path);
  if (language === "generated") return [];
  const whole = text?.split("\n");
  return runsOf(lines).flatMap((run) => {
    const last = run.at(-1)?.line ?? 0;
    const below = whole?.slice(last).find((each) => each.trim() !== "");
    return findHitsInRun(run, { path, language, hunk: hunkOfAdded(hunks, run[0]?.line ?? 0), below }, extra);
  });
}

function findHitsInRun(run: readonly ChangedLine[], scene: Omit<StubScene, "run">, extra: RegExp | undefined): Hit[] {
  const { language } = scene;
  const lexed = lexRun(run, language);
  const hits = new Map<number, Hit>();
  lexed.forEach((line, i) => {
    const near = run.slice(Math.max(0, i - 4), i + 5).map((each) => each.text);
    const mark = findMark(line, language, { near, above: lexed[i - 1] }, extra);
    if (mark !== undefined) hits.set(line.line, { kind: "mark", line: line.line, text: line.text, word: mark.word, key: `mark ${mark.rest}` });
  });
  for (const stub of findStubs({ ...scene, run: lexed })) {
    if (!hits.has(stub.line)) hits.set(stub.line, { kind: "stub", line: stub.line, text: stub.text, word: "", key: `stub ${stub.key}` });
  }
  return [...hits.values()].sort((a, b) => a.line - b.line);
}

function wordsPattern(words: readonly string[]): RegExp | undefined {
  const escaped = words.filter((word) => word.trim() !== "").map((word) => word.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return escaped.length === 0 ? undefined : new RegExp(`(?<![\\w])(?:${escaped.join("|")})(?![\\w])`, "i");
}

function findingOf(path: string, hit: Hit): Finding {
  const shared = { gate: "G02", severity: "block", path: quoteLine(path), line: hit.line, found: quoteLine(hit.text) } as const;
  if (hit.kind === "mark") {
    return {
      ...shared,
      why: `the added line says that something is left to do (${quoteLine(hit.word)}); work that is put off is not done`,
      hint: "do what the line puts off, and remove the line; if it belongs to another task, leave it out of this one",
    };
  }
  return {
    ...shared,
    why: "the added code is a stub: it stands where an implementation should",
    hint: "implement it; if doing nothing is right here, say why in a comment inside the body",
  };
}

function hiddenFinding(change: Change): Finding {
  return {
    gate: "G02",
    severity: "block",
    path: quoteLine(change.path),
    found: "git shows no lines of this source file: it is binary, or attributes hide it",
    why: "what cannot be read cannot be judged",
    hint: "write the file as UTF-8 text without NUL bytes, and remove attributes such as -diff or binary for it",
  };
}
