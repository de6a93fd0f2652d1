import { colourPaint, type Paint, plainPaint } from "./render/paint.ts";
import type { View } from "./render/view.ts";

/** Where a command prints. Results go to stdout, remarks about the command itself to stderr. */
export interface Terminal {
  /** Whether lines on stdout can be drawn over. */
  readonly live: boolean;
  readonly paint: Paint;
  out(lines: readonly string[]): void;
  /** Text or bytes that are printed as they are, without a newline at their end. */
  raw(text: string | Uint8Array): void;
  json(value: unknown): void;
  note(lines: readonly string[]): void;
  view(): View;
  /** Lines a screen can show. */
  rows(): number;
}

/** The terminal of this process. Lines are as long as they want where nobody looks at columns. */
export function openTerminal(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Terminal {
  const live = stdout.isTTY === true && env["TERM"] !== "dumb";
  const colours = live && (env["NO_COLOR"] ?? "") === "";
  const paint = colours ? colourPaint : plainPaint;
  return {
    live,
    paint,
    out(lines) {
      if (lines.length > 0) stdout.write(`${lines.join("\n")}\n`);
    },
    raw(text) {
      stdout.write(text);
    },
    json(value) {
      stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    note(lines) {
      if (lines.length > 0) stderr.write(`${lines.join("\n")}\n`);
    },
    view() {
      const columns = stdout.isTTY === true ? (stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
      return { columns, now: Date.now(), paint, timeOf };
    },
    rows: () => stdout.rows ?? 24,
  };
}

function timeOf(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
