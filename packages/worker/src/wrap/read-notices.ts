import { readdirSync } from "node:fs";
import type { AttemptFiles } from "../attempt-files.ts";
import { hasCode, readFileIfAny } from "../durable-files.ts";

const limit = 24_000;

/**
 * What was told to the attempt so far, for a prompt; empty when nothing was. All of it, also what an earlier round was told:
 * a round may be a program that knows nothing of the one before. The newest come first, and what is too much is named by its path.
 */
export function noticesText(files: AttemptFiles): string {
  const numbers = noticeNumbers(files).reverse();
  if (numbers.length === 0) return "";
  let room = limit;
  const parts = numbers.map((n) => {
    const text = readFileIfAny(files.notice(n)) ?? "";
    room -= text.length;
    return room < 0 ? `(cut: read ${files.notice(n)})` : text.trim();
  });
  return `\n\n# Told while you worked\n\n${parts.join("\n\n")}\n`;
}

function noticeNumbers(files: AttemptFiles): number[] {
  try {
    return readdirSync(files.notices)
      .flatMap((name) => (/^[1-9]\d*\.md$/.test(name) ? [Number.parseInt(name, 10)] : []))
      .sort((a, b) => a - b);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}
