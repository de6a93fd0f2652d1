import type { Finding } from "@dispatch/core";
import { quoteLine } from "../clean-output.ts";

export function blocked(parts: { path: string; line?: number; found: string; why: string; hint: string }): Finding {
  return { gate: "G05", severity: "block", ...parts, path: quoteLine(parts.path) };
}

/** What looks like tampering and has its reason in sight: shown, not held against the change. */
export function noted(path: string, found: string, why: string, line?: number): Finding {
  const hint = "nothing is to be done; who reviews may want to look at it";
  return { gate: "G05", severity: "note", path: quoteLine(path), ...(line === undefined ? {} : { line }), found, why, hint };
}
