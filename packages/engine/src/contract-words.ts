import type { Finding, Oid } from "@dispatch/core";
import { type Citation, type EntryChange, isCited, nameOf } from "./contract-entries.ts";

const noticeLimit = 16_000;
const entryLimit = 2_500;
const findingLimit = 1_500;
const namesLimit = 20;

/** A notice for an agent at work: which entries of the contract are others on main now, in old and new words, its own first. */
export function composeNotice(changes: readonly EntryChange[], cited: readonly Citation[], range: { from: Oid; to: Oid }): string {
  const own = changes.filter((change) => isCited(change, cited));
  const others = changes.filter((change) => !isCited(change, cited));
  const head = [
    "# The shared contract changed while you work",
    "",
    `Main moved from ${range.from} to ${range.to}; your worktree still holds the contract as it was at your base.`,
    own.length === 0
      ? "Your spec cites none of the entries that changed. Read them all the same: your result is tested together with the new contract."
      : `Your spec cites ${own.map(nameOf).join(", ")}. A result that was built on the old words is refused: build on the new ones, and do not edit the contract file.`,
    "",
  ].join("\n");
  let room = noticeLimit - head.length;
  const parts: string[] = [];
  for (const change of [...own, ...others]) {
    const part = `\n## ${nameOf(change)}: ${change.change}\n${side("It was", change.before, entryLimit)}${side("It is now", change.after, entryLimit)}`;
    room -= part.length;
    if (room < 0) {
      const left = [...own, ...others].slice(parts.length);
      parts.push(`\n(Cut; these changed too: ${left.slice(0, namesLimit).map(nameOf).join(", ")}${left.length > namesLimit ? " and more" : ""}.)\n`);
      break;
    }
    parts.push(part);
  }
  return head + parts.join("");
}

/** Why a result may not land on a main whose contract says something else than what it was built on. Empty when nothing it cites changed. */
export function contractFindings(
  changes: readonly EntryChange[],
  cited: readonly Citation[],
  landing: { base: Oid; onto: Oid; tip: Oid },
): Finding[] {
  const [base, onto, tip] = [landing.base, landing.onto, landing.tip].map((oid) => oid.slice(0, 12));
  return changes
    .filter((change) => isCited(change, cited))
    .map((change) => ({
      gate: "landing",
      severity: "block",
      path: change.file,
      found: `${nameOf(change)} was ${change.change}\nbetween your base ${base} and main ${onto}.\n${side("It was", change.before, findingLimit)}${side("It is now", change.after, findingLimit)}`,
      why: "The shared contract that the spec cites changed while the attempt was at work.",
      hint:
        change.after === null
          ? `Build without it, or let the lead change the spec. Your earlier work is commit ${tip}.`
          : `Build on the entry as it is now. Your earlier work is commit ${tip}.`,
    }));
}

/** The remark on a landing that cites nothing of what changed; undefined when nothing changed. */
export function contractNote(changes: readonly EntryChange[], base: Oid): Finding | undefined {
  if (changes.length === 0) return undefined;
  const named = changes.slice(0, namesLimit).map((change) => `${nameOf(change)} (${change.change})`);
  const more = changes.length > namesLimit ? ` and ${changes.length - namesLimit} more` : "";
  return {
    gate: "landing",
    severity: "note",
    found: `the shared contract changed since base ${base.slice(0, 12)}: ${named.join(", ")}${more}`,
    why: "The spec cites none of these entries, so the tests alone judge the change.",
    hint: "Cite an entry in the spec's contract field when the task works against it.",
  };
}

/** Text that is data: fenced so that nothing in it closes the fence, and cut where it is too long. */
export function quoted(text: string, limit: number): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}\n… (cut after ${limit} of ${text.length} characters)` : text;
  const fence = "`".repeat(Math.max(3, ...[...cut.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
  return `${fence}markdown\n${cut}\n${fence}`;
}

function side(word: string, text: string | null, limit: number): string {
  return text === null ? "" : `\n${word}:\n\n${quoted(text, limit)}\n`;
}
