import type { ChangedLine } from "./change.ts";
import { isTestPath, type Language } from "./language.ts";
import type { LexedLine } from "./lex-lines.ts";
import type { Stub, StubScene } from "./stub.ts";

/** A function's name and parameters, when a head belongs to one. */
interface Signature {
  name: string;
  parameters: string;
  /** Methods may be hooks that others override; a function standing alone is only what it does. */
  method: boolean;
}

/** The patterns of signatures are quadratic on text made for it. */
const longestHead = 2000;

const readers: Partial<Record<Language, (head: string) => Signature | undefined>> = {
  script: scriptSignature,
  java: classSignature,
  csharp: classSignature,
  go: goSignature,
  rust: rustSignature,
  kotlin: (head) =>
    wordSignature(
      head,
      /^(?:(?:public|private|internal|protected|inline|suspend|tailrec|infix|operator)\s+)*fun\s+(?:<[^>]*>\s*)?(?:[\w.]+\.)?(\w+)\s*\((.*)\)\s*(?::\s*Unit)?$/,
    ),
  swift: (head) =>
    wordSignature(
      head,
      /^(?:(?:public|private|internal|fileprivate|static|final|mutating|@\w+)\s+)*func\s+(\w+)\s*(?:<[^>]*>)?\((.*)\)\s*(?:async\s*)?(?:throws\s*)?(?:->\s*(?:Void|\(\))\s*)?$/,
    ),
};

/**
 * Functions and methods whose body holds nothing at all. A comment in the body is a reason and makes it deliberate;
 * so do names, parameters and classes that say "does nothing". Doubles in test folders may be empty, tests may not.
 */
export function findEmptyBodies({ run, path, language, hunk, below }: StubScene): Stub[] {
  const read = readers[language];
  if (read === undefined || /\.d\.[cm]?ts$/.test(path)) return [];
  const inTests = isTestPath(path);
  const stubs: Stub[] = [];
  for (let i = 0; i < run.length; i++) {
    const line = run[i];
    if (line === undefined) continue;
    const stub = { line: line.line, text: line.text, key: line.bare.trim() };
    if (language === "script" && isEmptyTest(run, i)) {
      stubs.push(stub);
      continue;
    }
    const head = inTests ? undefined : emptyHeadAt(run, i, below);
    if (head === undefined || head.length > longestHead) continue;
    const signature = read(head);
    if (signature === undefined || isDeliberate(signature, run, i, hunk?.heading ?? "")) continue;
    stubs.push({ ...stub, key: head });
  }
  return stubs;
}

const emptyTest = /^\s*(?:it|test)\s*\(\s*""\s*,\s*(?:async\s*)?(?:\(\w*\)\s*=>|\w+\s*=>|function\s*\w*\s*\(\w*\))\s*\{/;

function isEmptyTest(run: readonly LexedLine[], i: number): boolean {
  const code = run[i]?.code ?? "";
  if (!emptyTest.test(code)) return false;
  const after = code.replace(emptyTest, "");
  if (run[i]?.comment.trim() !== "") return false;
  return /^\s*\}\s*\)/.test(after) || (after.trim() === "" && /^\s*\}\s*\)/.test(run[i + 1]?.code ?? ""));
}

/** The head, on one line, of a block that opens on line `i` and holds nothing. */
function emptyHeadAt(run: readonly LexedLine[], i: number, below: string | undefined): string | undefined {
  const line = run[i];
  const code = line?.code.trim() ?? "";
  if (line === undefined || line.comment.trim() !== "") return undefined;
  const inline = /^(.*)\{\s*\}\s*[;,]?$/.exec(code);
  if (inline !== null) return headUpTo(run, i, inline[1] ?? "");
  if (code === "{" || !code.endsWith("{")) return code === "{" ? bracesOnOwnLines(run, i, below) : undefined;
  return closesNext(run, i, below) ? headUpTo(run, i, code.slice(0, -1)) : undefined;
}

function bracesOnOwnLines(run: readonly LexedLine[], i: number, below: string | undefined): string | undefined {
  const above = run[i - 1];
  if (above === undefined || above.comment.trim() !== "" || !closesNext(run, i, below)) return undefined;
  return headUpTo(run, i - 1, above.code);
}

function closesNext(run: readonly LexedLine[], i: number, below: string | undefined): boolean {
  const next = run.slice(i + 1).find((line) => line.text.trim() !== "")?.text ?? below ?? "";
  return /^\}\s*[;,]?$/.test(next.trim());
}

/** Whether a run may end in the head of a function whose body stands in lines that did not change. */
export function opensBelow(path: string, language: Language, lines: readonly ChangedLine[]): boolean {
  if (readers[language] === undefined || isTestPath(path)) return false;
  return lines.some(({ line, text }, i) => lines[i + 1]?.line !== line + 1 && text.length < longestHead && text.trimEnd().endsWith("{"));
}

/** The lines above are joined while parentheses are open. */
function headUpTo(run: readonly LexedLine[], i: number, last: string): string {
  let head = last.trim();
  for (let k = i - 1; k >= 0 && k > i - 30 && depthOf(head) < 0; k--) head = `${run[k]?.code.trim() ?? ""} ${head}`;
  return head.trim();
}

function depthOf(text: string): number {
  let depth = 0;
  for (const char of text) depth += char === "(" ? 1 : char === ")" ? -1 : 0;
  return depth;
}

const notFunctions = new Set(
  "if for while switch catch with function return super await new do else try typeof using lock fixed unchecked checked synchronized class interface enum struct record namespace".split(
    " ",
  ),
);

function scriptSignature(head: string): Signature | undefined {
  const plain = /^(?:export\s+)?(?:default\s+)?(?:async\s+)?function\s*\*?\s*([\w$]*)\s*(?:<.*>)?\((.*)\)\s*(?::\s*[^=;]+)?$/.exec(head);
  if (plain !== null) return { name: plain[1] ?? "", parameters: plain[2] ?? "", method: false };
  const arrow = /^export\s+const\s+([\w$]+)\s*(?::\s*[^=]+(?:=>[^=]+)?)?=\s*(?:async\s+)?(?:\((.*)\)\s*(?::\s*[^=;]+)?|[\w$]+\s*)=>$/.exec(head);
  if (arrow !== null) return { name: arrow[1] ?? "", parameters: arrow[2] ?? "", method: false };
  const method = /^(?:(?:public|private|protected|static|async)\s+|\*\s*)*(#?[\w$]+)\s*(?:<[^()]*>)?\((.*)\)\s*(?::\s*[^=;?]+)?$/.exec(head);
  const name = method?.[1] ?? "";
  if (method === null || name === "constructor" || notFunctions.has(name)) return undefined;
  return { name, parameters: method[2] ?? "", method: true };
}

/** Only methods that say `void`: others do not compile empty, and constructors have no type. */
function classSignature(head: string): Signature | undefined {
  const match =
    /^(?:(?:public|private|internal|static|final|async|synchronized)\s+)*(?:void|Task)\s+(\w+)\s*(?:<[^()]*>)?\((.*)\)\s*(?:throws\s+[\w., ]+)?$/.exec(
      head,
    );
  return match === null ? undefined : { name: match[1] ?? "", parameters: match[2] ?? "", method: true };
}

/** Functions that are given something by name: without that, doing nothing may be all there is to do. */
function goSignature(head: string): Signature | undefined {
  const match = /^func\s+(?:\(\s*(?:(\w+)\s+)?\*?(\w+)(?:\[[^\]]*\])?\s*\)\s*)?(\w+)\s*(?:\[[^\]]*\])?\((.*)\)$/.exec(head);
  const [, receiver, type, name = "", parameters = ""] = match ?? [];
  if (
    match === null ||
    !namesParameter(parameters, /^_\s/) ||
    (type !== undefined && (receiver === undefined || receiver === "_" || doesNothing.test(type)))
  )
    return undefined;
  return { name, parameters, method: type !== undefined };
}

function rustSignature(head: string): Signature | undefined {
  const match = /^(?:pub(?:\([^)]*\))?\s+)?(?:(?:const|async|unsafe)\s+)*fn\s+(\w+)\s*(?:<[^()]*>)?\((.*)\)\s*(?:where\b.*)?$/.exec(head);
  const [, name = "", given = ""] = match ?? [];
  const parameters = given.replace(/^\s*(?:&\s*(?:'\w+\s+)?)?(?:mut\s+)?self\s*(?:,|$)/, "");
  return match === null || !namesParameter(parameters, /^_\w*\s*:/) ? undefined : { name, parameters, method: true };
}

function namesParameter(parameters: string, unused: RegExp): boolean {
  return parameters.split(",").some((each) => each.trim() !== "" && !unused.test(each.trim()));
}

function wordSignature(head: string, pattern: RegExp): Signature | undefined {
  const match = pattern.exec(head);
  return match === null ? undefined : { name: match[1] ?? "", parameters: match[2] ?? "", method: true };
}

const doesNothing = /no_?op|^nop|^(?:empty|ignore|dummy|stub|fake|mock|null|nothing|skip|swallow|_)/i;
const hook =
  /^(?:on|before|after|did|will|pre|post|ng|component|host|visit|enter|exit|should)(?=[A-Z_]|$)|^(?:dispose|close|destroy|flush|unref|ref|end|log|debug|info|warn|error|trace|fatal|verbose|setup|teardown|setUp|tearDown|finalize|cleanup|main|ready|release|shutdown|unsubscribe|cancel|abort|reset|clear|mount|unmount|activate|deactivate|connectedCallback|disconnectedCallback|get|set|observe|unobserve|disconnect)$/i;
const idleClass =
  /\b(?:class|object|interface|struct|extension|for|impl)\s+\w*(?:Null|No_?op|Nop|Fake|Stub|Mock|Dummy|Empty|Silent|Base|Abstract|Adapter|Void)\w*|\babstract\s+class\b|\binterface\s|\btrait\s|^\s*(?:public\s+)?extension\s/i;
/** The label by which Cocoa names what a delegate is told. */
const delegateLabel = /[(,\s](?:did|will|should)[A-Z]\w*\b/;

function isDeliberate({ name, parameters, method }: Signature, run: readonly LexedLine[], i: number, heading: string): boolean {
  if (doesNothing.test(name)) return true;
  const listed = parameters
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
  if (listed.length > 0 && listed.every((each) => /^(?:\.\.\.)?_/.test(each))) return true;
  // A TypeScript parameter property is the constructor's body; the head of one may look like a method.
  if (listed.some((each) => /^(?:public|private|protected|readonly)\s/.test(each))) return true;
  if (!method) return false;
  if (
    hook.test(name) ||
    /^(?:[Ll]og|[Dd]ebug|[Ii]nfo|[Ww]arn|[Ee]rror|[Tt]race|[Ff]atal)(?:f|ln|w)?$/.test(name) ||
    delegateLabel.test(` ${parameters}`)
  )
    return true;
  if (/@\w*Override|\boverride\b|@\w+/.test(run[i - 1]?.code ?? "")) return true;
  const above = run.slice(0, i).findLast((line) => /\b(?:class|interface|object|struct|extension|trait|impl)\b/.test(line.code));
  return idleClass.test(above?.code ?? heading);
}
