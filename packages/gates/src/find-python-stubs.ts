import { isTestPath } from "./language.ts";
import type { LexedLine } from "./lex-lines.ts";
import { isUnfinishedMessage, type Stub, type StubScene } from "./stub.ts";

type Body = "pass" | "..." | "raise";

const inlineDef = /^\s*(?:async\s+)?def\s+\w+.*\)\s*(?:->\s*[^:]+)?:\s*(pass|\.\.\.|raise\s+NotImplementedError\b.*)\s*;?$/;
const abstractBases =
  /\b(?:Protocol|ABC|ABCMeta)\b|class\s+\w*(?:Abstract|Interface|Base|Mixin|Protocol|Null|Noop|NoOp|Dummy|Fake|Mock|Stub)\w*|class\s+I[A-Z]/;
const idleDecorators = /@.*(?:abstract|overload|hookspec|hookimpl|group|callback|fixture|setter|singledispatch|validator|jit|command|task)/;
const toOverride = /subclass|overrid|derived|abstract|must be implemented (?:by|in)/i;
const doesNothing = /no_?op|^_*(?:dummy|stub|fake|mock|null|nothing|ignore|skip|empty)/;
const hook =
  /^__\w+__$|^(?:on|visit|before|after|pre|post|setup|teardown)_|^(?:setUp|tearDown|setup|teardown|close|flush|dispose|shutdown|cleanup|reset|log|debug|info|warning|error)$/;

/** Functions whose whole body is `pass`, `...` or `raise NotImplementedError`, outside what is abstract by design. */
export function findPythonStubs(scene: StubScene): Stub[] {
  if (scene.path.endsWith(".pyi")) return [];
  return scene.run.flatMap((line, i) => {
    const stub = stubAt(scene, line, i);
    return stub === undefined ? [] : [stub];
  });
}

function stubAt(scene: StubScene, line: LexedLine, i: number): Stub | undefined {
  const code = line.code.trim();
  if (code.length > 2000) return undefined;
  const inline = inlineDef.exec(code)?.[1];
  const body = bodyOf(inline ?? code);
  if (body === undefined) return undefined;
  const stub = { line: line.line, text: line.text, key: code };
  if (inline !== undefined) return isIdle(scene, i, i, body, line) ? undefined : stub;
  const opener = openerOf(scene.run, i);
  if (opener === "other") return undefined;
  if (opener === "unseen") return isGutted(scene, line, body) ? stub : undefined;
  const head = scene.run.slice(opener, i).map((each) => each.code.trim());
  return isIdle(scene, opener, i, body, line) ? undefined : { ...stub, key: [...head, code].join(" ") };
}

function bodyOf(code: string): Body | undefined {
  if (code === "pass" || code === "...") return code;
  return /^raise\s+NotImplementedError\b/.test(code) ? "raise" : undefined;
}

/** Index of the `def` whose first statement stands at `i`; `other` when something else opens the block or stands before it. */
function openerOf(run: readonly LexedLine[], i: number): number | "other" | "unseen" {
  let k = i - 1;
  while (k >= 0 && run[k]?.silent === true) k -= 1;
  const above = run[k];
  if (above === undefined) return "unseen";
  if (!above.code.trimEnd().endsWith(":") || indentOf(above.text) > indentOf(run[i]?.text ?? "")) return "other";
  let depth = 0;
  for (; k >= 0; k--) {
    const code = run[k]?.code ?? "";
    for (const char of code) depth += "([{".includes(char) ? 1 : ")]}".includes(char) ? -1 : 0;
    if (depth >= 0) return /^\s*(?:async\s+)?def\s/.test(code) ? k : "other";
  }
  return "unseen";
}

/**
 * A body that was replaced while its `def` stayed. All that is known of the place is git's heading, the last line
 * without indentation above: one level below a `def`, or two below a `class`, is the body of a function.
 */
function isGutted({ hunk, path, run }: StubScene, line: LexedLine, body: Body): boolean {
  if (hunk === undefined || hunk.oldLines === 0 || isTestPath(path)) return false;
  if (run[0]?.line !== hunk.newStart) return false;
  if (body === "raise" && !(line.code.trim() === "raise NotImplementedError" || line.strings.some(isUnfinishedMessage) || /\(\)$/.test(line.code)))
    return false;
  const indent = indentOf(line.text);
  if (/^(?:async\s+)?def\s/.test(hunk.heading)) return indent === 4 && !doesNothing.test(hunk.heading.replace(/^(?:async\s+)?def\s+/, ""));
  return /^class\s/.test(hunk.heading) && indent === 8 && !abstractBases.test(hunk.heading);
}

function isIdle(scene: StubScene, opener: number, end: number, body: Body, line: LexedLine): boolean {
  const { run, path, hunk } = scene;
  const head = run
    .slice(opener, Math.max(end, opener + 1))
    .map((each) => each.code.trim())
    .join(" ");
  const name = /def\s+(\w+)/.exec(head)?.[1] ?? "";
  if (isTestPath(path) && !name.startsWith("test_")) return true;
  if (doesNothing.test(name) || (body !== "raise" && hook.test(name))) return true;
  if (body === "raise" && line.strings.some((text) => toOverride.test(text))) return true;
  const indent = indentOf(run[opener]?.text ?? "");
  for (let k = opener - 1; k >= 0 && /^\s*(?:@|[)\]}]|\w+=)/.test(run[k]?.code ?? ""); k--) if (idleDecorators.test(run[k]?.code ?? "")) return true;
  if (indent > 0 && abstractBases.test(classAbove(run, opener, indent) ?? hunk?.heading ?? "")) return true;
  return body !== "raise" && takesAnything(head);
}

function classAbove(run: readonly LexedLine[], from: number, indent: number): string | undefined {
  return run.slice(0, from).findLast((line) => !line.silent && indentOf(line.text) < indent)?.code;
}

/** `def noop(*args, **kwargs)`, `def f(_a, _b)`: written to do nothing with what it gets. */
function takesAnything(head: string): boolean {
  const parameters = (/\((.*)\)/.exec(head)?.[1] ?? "").split(",").map((each) => each.trim());
  const own = parameters.filter((each) => each !== "" && !/^(?:self|cls)\b/.test(each) && each !== "/" && each !== "*");
  return own.length > 0 && own.every((each) => /^(?:\*|_)/.test(each));
}

function indentOf(text: string): number {
  const white = /^[ \t]*/.exec(text)?.[0] ?? "";
  return white.replace(/\t/g, "    ").length;
}
