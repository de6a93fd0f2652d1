import type { PutSpecView, SpecView } from "@dispatch/protocol";
import type { Terminal } from "../terminal.ts";
import { problemLine } from "./feed-lines.ts";
import type { Paint } from "./paint.ts";
import { tableLines } from "./table.ts";
import type { View } from "./view.ts";

/** Where a spec stands, and its revisions: newest first, with who and when and what. */
export function revisionLines(spec: SpecView, view: View): string[] {
  const { paint, columns } = view;
  const rows = [...spec.history]
    .reverse()
    .map(({ revision, at, by, changed }) => [
      { text: `${revision === spec.revision ? "*" : " "} ${revision}` },
      { text: new Date(at).toISOString().slice(0, 19).replace("T", " ") },
      { text: by ?? "unknown" },
      { text: revision === 1 ? "first text" : changed.join(", ") },
    ]);
  const titles = [{ title: "rev" }, { title: "taken in (UTC)" }, { title: "by" }, { title: "changed", grow: true }];
  return [
    paint.strong(`${spec.task} revision ${spec.revision} of ${spec.current}, ${spec.path}, sha256 ${spec.digest.slice(0, 12)}`),
    ...tableLines(titles, rows, columns, paint.faint),
  ];
}

/** What a put did, on stdout; warnings on stderr. */
export function tellPut(put: PutSpecView, terminal: Terminal): void {
  const { paint } = terminal;
  terminal.note(put.problems.map((problem) => problemLine(problem, paint)));
  const same = `${put.task} has this text already; it stays at revision ${put.revision}`;
  terminal.out([put.changed.length === 0 ? same : `${put.task} is at ${paint.good(`revision ${put.revision}`)}; changed: ${put.changed.join(", ")}`]);
}

export function paintDiff(lines: readonly string[], paint: Paint): string[] {
  return lines.map((line) => {
    if (line.startsWith("---") || line.startsWith("+++")) return paint.strong(line);
    if (line.startsWith("@@")) return paint.active(line);
    if (line.startsWith("+")) return paint.good(line);
    return line.startsWith("-") ? paint.bad(line) : line;
  });
}
