import type { Finding } from "@dispatch/core";

/**
 * The same text for what is the same defect in two rounds. Line numbers and durations move without the defect
 * changing, so they are left out; of long findings only the part before the quoted output counts.
 */
export function findingKey(finding: Finding): string {
  const [head = ""] = finding.found.split("\n\n", 1);
  const found = head
    .replace(/\b\d+(?:\.\d+)?\s?(?:ms|s)\b/g, "#")
    .replace(/\s+/g, " ")
    .trim();
  return [finding.gate, finding.path ?? "", found].join("\0");
}
