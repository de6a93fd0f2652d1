import type { GateReport } from "@dispatch/controller";
import { plural, shortOid } from "./figures.ts";
import { findingLines } from "./finding-lines.ts";
import type { Paint } from "./paint.ts";
import { oneLine } from "./text-width.ts";
import type { View } from "./view.ts";

/** What was judged, every finding, and the gates that did not judge, by why. */
export function gateLines(report: GateReport, view: View): string[] {
  const { findings, gates, verify } = report;
  const reasons = new Set(gates.leftOut.map(({ because }) => because));
  return [
    headLine(report),
    ...verify.map((result) => `ran ${oneLine(result.command)}: ${result.outcome === "exited" ? `exit ${result.exitCode}` : result.outcome}`),
    ...findings.flatMap((finding) => findingLines(finding, view, "")),
    ...[...reasons].map((reason) => {
      const left = gates.leftOut.filter(({ because }) => because === reason).map(({ gate }) => gate);
      return view.paint.faint(`left out ${left.join(" ")}: ${reason}`);
    }),
  ];
}

function headLine({ base, head, from, changedPaths }: GateReport): string {
  const start = from === base ? shortOid(base) : `${shortOid(from)} (where it left ${shortOid(base)})`;
  return `${start} to ${shortOid(head)}: ${changedPaths === 0 ? "nothing changed" : plural(changedPaths, "changed path")}`;
}

/** `1 finding blocks, 2 remarks; 10 gates judged, 5 left out` */
export function gateSummary({ findings, gates }: GateReport, paint: Paint): string {
  const blocking = findings.filter(({ severity }) => severity === "block").length;
  const remarks = findings.length - blocking;
  const verdict = blocking === 0 ? paint.good("nothing blocks") : paint.bad(`${plural(blocking, "finding")} ${blocking === 1 ? "blocks" : "block"}`);
  const beside = remarks === 0 ? "" : `, ${plural(remarks, "remark")}`;
  return `${verdict}${beside}; ${plural(gates.run.length, "gate")} judged, ${gates.leftOut.length} left out`;
}
