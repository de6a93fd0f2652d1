import { coversAny, type Finding } from "@dispatch/core";
import type { Change, ChangedLine } from "./change.ts";
import { quoteLine } from "./clean-output.ts";
import { languageOf } from "./language.ts";
import type { GateInput } from "./policy.ts";

const opening = /^<{7}(?: |$)/;
const divider = /^={7}$/;
const closing = /^>{7}(?: |$)/;

/** G07: conflict markers in added lines; one finding for each conflict, at its first marker. */
export function judgeMarkers({ changes, policy }: GateInput): Finding[] {
  return changes
    .filter((change) => !coversAny(policy.markerAllow, change.path))
    .flatMap((change) => conflictStarts(change).map((line) => findingOf(change.path, line)));
}

/** A divider alone is an underline of a heading; alone in prose, seven > are a quotation. */
function conflictStarts(change: Change): ChangedLine[] {
  const starts: ChangedLine[] = [];
  const prose = languageOf(change.path) === "prose";
  let state: "outside" | "ours" | "theirs" = "outside";
  for (const line of change.addedLines) {
    if (opening.test(line.text)) {
      starts.push(line);
      state = "ours";
    } else if (state === "ours" && divider.test(line.text)) state = "theirs";
    else if (closing.test(line.text)) {
      if (state === "outside" && !prose) starts.push(line);
      state = "outside";
    }
  }
  return starts;
}

function findingOf(path: string, { line, text }: ChangedLine): Finding {
  return {
    gate: "G07",
    severity: "block",
    path,
    line,
    found: quoteLine(text),
    why: "a conflict marker was left in the file: a merge was not finished",
    hint: "take from both sides what belongs there and remove the markers <<<<<<<, ======= and >>>>>>>",
  };
}
