import type { Finding } from "@dispatch/core";
import { quoteLine } from "../clean-output.ts";
import type { LexedLine } from "../lex-lines.ts";
import { hunkOfAdded, type ReadChange } from "../read-change.ts";
import { blocked } from "./finding.ts";
import { type Call, readCall } from "./read-call.ts";
import { dialectOf, isTestScope } from "./test-code.ts";

const callName =
  /(?:\b(?:[A-Za-z_]\w*\.)*(?:assert|expect|require|XCTAssert|Assert|assume|prop_assert|debug_assert)[\w.]*!?|#(?:expect|require))\s*(?=\()/;
const truthy = /^(?:true|True|1|"[^"]+"|'[^']+'|!false|not False|!0|1 == 1|1 === 1|\[\]|\{\})$/;
const falsy = /^(?:false|False|0|!true|not True|None|null|nil|undefined)$/;
const nothing = /^(?:null|nil|None|undefined)$/;
const equality = /(?:Equals?|EqualTo|Same|eq!|AreEqual|AreSame|Exactly|Be|toBe|eql|deepEqual|strictEqual|toStrictEqual)$/i;
/** A test that something equals itself is about equality. */
const aboutEquality = /reflexiv|itself|equals_?self|test_?equals|__eq__|is_?equal|PartialEq|hash_?code|same (?:instance|object|value)|\bequality\b/i;

/** Assertions that hold whatever the code does, and exact ones that were replaced by ones that hardly ask. */
export function findWeakAssertions(reads: readonly ReadChange[]): Finding[] {
  return reads.flatMap((read) => {
    const { change, language } = read;
    if (dialectOf(change.path, language) === undefined) return [];
    return read.added.flatMap((run) => {
      const hunk = hunkOfAdded(change.hunks, run[0]?.line ?? 0);
      if (!isTestScope(change.path, language, hunk?.heading ?? "")) return [];
      const exact = read.removed.flat().filter(({ line }) => hunk !== undefined && line >= hunk.oldStart && line < hunk.oldStart + hunk.oldLines);
      return run.flatMap((line, i) => {
        const near = run.slice(Math.max(0, i - 12), i + 1);
        if (alwaysHolds(line, near)) return [tautology(change.path, line)];
        const before = loosenedFrom(line, exact, run);
        return before === undefined ? [] : [loosened(change.path, line, before)];
      });
    });
  });
}

function alwaysHolds(line: LexedLine, near: readonly LexedLine[]): boolean {
  const { bare } = line;
  if (/^\s*assert\s+(?:True|1|not False|not None)\s*(?:,|;|$)/.test(bare) || /^\s*assert\s+.*\bor\s+(?:True|1)\s*(?:,|$)/.test(bare)) return true;
  const compared = /^\s*assert\s+([^()=!<>]+?)\s*(?:==|is)\s*([^()=!<>]+?)\s*(?:,.*)?;?$/.exec(bare);
  if (compared !== null) return isSame(compared[1] ?? "", compared[2] ?? "", near);
  const call = readCall(bare, callName);
  if (call === undefined) return false;
  const args =
    call.args[0] !== undefined && /^(?:t|tb|b|\w*\.T\(\))$/.test(call.args[0]) && /^(?:assert|require)\./.test(call.name)
      ? call.args.slice(1)
      : call.args;
  return callHolds({ ...call, args }, near);
}

function callHolds({ name, args, rest }: Call, near: readonly LexedLine[]): boolean {
  const [first = "", second] = args;
  if (/\|\|\s*true$|\bor True$/.test(first)) return true;
  const chain = /^\s*\.(?:not\.)?(?:to\.)?(?:be\.)?(\w+)(?:\((.*?)\))?\s*;?\s*$/.exec(rest);
  const last = name.slice(name.lastIndexOf(".") + 1);
  if (/^(?:expect|assertThat|assert_that|that)$/.test(last) && chain !== null) {
    const [, matcher = "", given = ""] = chain;
    if (/\.not\./.test(rest)) return false;
    if (/^(?:toBeTruthy|toBeDefined|ok|exist|true|isTrue|isNotNull)$/.test(matcher)) return truthy.test(first);
    if (/^(?:toBeFalsy|false|isFalse)$/.test(matcher)) return falsy.test(first);
    return equality.test(matcher) && given !== "" && isSame(first, given, near);
  }
  if (equality.test(last) && second !== undefined) return isSame(first, second, near);
  if (/(?:False|isFalse)$/.test(last)) return falsy.test(first);
  if (/(?:Nil|Null|None|Undefined)$/.test(last) && !/Not/.test(last)) return nothing.test(first);
  return /(?:^assert!?|assert!|ok|True|isTrue|XCTAssert|expect|require)$/.test(last) && (truthy.test(first) || sameSides(first, near));
}

function sameSides(condition: string, near: readonly LexedLine[]): boolean {
  const sides = /^([^=!<>&|]+?)\s*===?\s*([^=!<>&|]+)$/.exec(condition);
  return sides !== null && isSame(sides[1] ?? "", sides[2] ?? "", near);
}

/** The same text on both sides, unless it calls something (which may answer differently) or equality itself is what is tested. */
function isSame(left: string, right: string, near: readonly LexedLine[]): boolean {
  if (left.trim() !== right.trim() || left.trim() === "") return false;
  if (/^(?:true|false|True|False|None|null|nil|-?\d+(?:\.\d+)?|["'][^"']*["'])$/.test(left.trim())) return true;
  return !/[(]|\bawait\b/.test(left) && !near.some(({ text }) => aboutEquality.test(text));
}

const loose =
  /\.toBeDefined\(\)|\.toBeTruthy\(\)|\.not\.toBe(?:Null|Undefined)\(\)|\.to\.exist\b|\.toHaveBeenCalled\(\)|\.to(?:Throw|ThrowError)\(\)|\.not\.toThrow\(\)|\.toBeInstanceOf\(Object\)|toEqual\(expect\.anything\(\)\)|\bassert(?:IsNotNone|NotNull|NonNull)\b|\b(?:assert|require)\.(?:NotNil|NotEmpty|NoError|True|Truthy|isDefined|exists|ok)\b|\bXCTAssertNotNil\b|\bAssert\.(?:NotNull|IsNotNull)\b|\.isNotNull\(\)|^\s*assert\s+\w[\w.[\]'"]*\s*(?:,|$)|^\s*assert\s+\S+\s+is\s+not\s+None\b|\bassert!\(\s*[\w.()]+\.is_(?:ok|some|err)\(\)/;
const exactly =
  /\.to(?:Be|Equal|StrictEqual|MatchObject|Match|HaveBeenCalledWith|HaveLength)\b|\.toThrow(?:Error)?\([^)]|\.(?:equal|eql|deep)\b|\bassert\w*(?:Equals?|Same|eq!)|\b(?:assert|require)\.(?:Equal|EqualValues|Len|JSONEq|ErrorIs|EqualError|strictEqual|deepStrictEqual|deepEqual|equal)\b|\bXCTAssertEqual\b|\bAssert\.(?:Equal|AreEqual)\b|\.isEqualTo\(|^\s*assert\s+.*[^=!<>]==[^=]/;

/** The removed assertion about the same thing that asked for more. */
function loosenedFrom(line: LexedLine, removed: readonly LexedLine[], run: readonly LexedLine[]): LexedLine | undefined {
  if (!loose.test(line.bare) || exactly.test(line.bare.replace(loose, ""))) return undefined;
  const subject = subjectOf(line);
  if (subject === undefined) return undefined;
  const about = (other: LexedLine) => exactly.test(other.bare) && other.bare.includes(subject);
  if (run.some(about)) return undefined;
  return removed.find(about);
}

/** What an assertion is about: the longest path of names in it. */
function subjectOf({ bare }: LexedLine): string | undefined {
  const inside = readCall(bare, callName)?.args.find((arg) => !/^(?:t|b|tb)$/.test(arg)) ?? /^\s*assert\s+([\w.[\]'"]+)/.exec(bare)?.[1];
  const [subject] = (inside?.match(/[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*|\[[^\]]*\])*/g) ?? []).filter(
    (name) => !/^(?:await|not|new|is_\w+)$/.test(name),
  );
  return subject?.replace(/\.is_(?:ok|some|err)$/, "");
}

function tautology(path: string, { line, text }: LexedLine): Finding {
  return blocked({
    path,
    line,
    found: quoteLine(text),
    why: "this assertion holds whatever the code does; it proves nothing",
    hint: "assert what the code returned against what it should have returned",
  });
}

function loosened(path: string, { line, text }: LexedLine, before: LexedLine): Finding {
  return blocked({
    path,
    line,
    found: `${quoteLine(text)} in place of ${quoteLine(before.text)}`,
    why: "the assertion asks for less than the one it replaces: a wrong value passes",
    hint: "assert the exact value again, and mend the code until it holds",
  });
}
