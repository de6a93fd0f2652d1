import type { TokenUsage } from "@dispatch/core";

/** `850ms`, `42s`, `3m07s`, `2h05m`, `3d04h`: two units at most. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}

/** Minutes as `7.5m`, `42m`, `2h05m`. */
export function minutesText(minutes: number): string {
  if (minutes >= 59.5) return durationText(Math.round(minutes) * 60_000);
  return `${minutes < 9.95 ? Math.round(minutes * 10) / 10 : Math.round(minutes)}m`;
}

/** How long something has gone on, in whole seconds; a clock that went back shows `0s`. */
export function ageText(since: number, now: number): string {
  return durationText(Math.max(0, Math.floor((now - since) / 1000) * 1000)).replace(/^0ms$/, "0s");
}

/** `950`, `12.3k`, `4.5M`. */
export function countText(count: number): string {
  if (count < 1000) return String(count);
  if (count < 999_950) return `${(count / 1000).toFixed(1)}k`;
  return `${(count / 1_000_000).toFixed(1)}M`;
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `512 MiB`, `3.1 GiB`: one decimal below ten. */
export function bytesText(bytes: number): string {
  let amount = Math.max(0, bytes);
  let unit = 0;
  while (amount >= 1024 && unit < byteUnits.length - 1) {
    amount /= 1024;
    unit++;
  }
  const shown = unit === 0 || amount >= 9.95 ? Math.round(amount) : Math.round(amount * 10) / 10;
  return `${shown} ${byteUnits[unit]}`;
}

/** `12.3k in, 950 out`; empty when no executor said anything. */
export function tokensText(tokens: TokenUsage | null): string {
  return tokens === null ? "" : `${countText(tokens.inputTokens)} in, ${countText(tokens.outputTokens)} out`;
}

/** The sum of what is known; null when nothing is. */
export function sumTokens(all: readonly (TokenUsage | null)[]): TokenUsage | null {
  const known = all.filter((tokens) => tokens !== null);
  if (known.length === 0) return null;
  return {
    inputTokens: known.reduce((sum, tokens) => sum + tokens.inputTokens, 0),
    outputTokens: known.reduce((sum, tokens) => sum + tokens.outputTokens, 0),
  };
}

/** `━━━━━━────`: as much of `width` columns as `done` is of `all`; full only when all is done. */
export function barText(done: number, all: number, width: number): { done: string; rest: string } {
  const share = all === 0 ? 0 : done / all;
  const filled = Math.min(width, Math.floor(share * width));
  return { done: "━".repeat(filled), rest: "─".repeat(width - filled) };
}

/** `1 task`, `2 tasks`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

export function shortOid(oid: string): string {
  return oid.slice(0, 9);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
