import type { NodesView, NodeView } from "@dispatch/protocol";
import { ageText, bytesText, plural } from "./figures.ts";
import { linkText, nodePaint, nodeState, nodeTrouble, sessionNames } from "./node-words.ts";
import { troubleLines } from "./status-lines.ts";
import { type Cell, type Column, tableLines } from "./table.ts";
import type { View } from "./view.ts";

/** `from`: shown on screens of at least so many columns, so that NOW has room. */
const columns: readonly (Column & { from?: number })[] = [
  { title: "NODE" },
  { title: "STATE" },
  { title: "SLOTS", align: "end" },
  { title: "LOAD", align: "end", from: 60 },
  { title: "MEMORY", align: "end", from: 80 },
  { title: "DISK", align: "end", from: 80 },
  { title: "HEARD", align: "end", from: 80 },
  { title: "VIA", from: 110 },
  { title: "NOW", grow: true },
];

/** The machines, one a line, and what their slots come to. MEMORY and DISK are what is free. */
export function nodeTable({ nodes, problem }: NodesView, view: View): string[] {
  const alarm = problem === null ? [] : troubleLines(problem, view);
  if (nodes.length === 0) return [...alarm, "no node is configured", `  ${view.paint.faint("try: dispatch node add, or name one in nodes.json")}`];
  const shown = columns.map(({ from = 0 }) => view.columns >= from);
  const rows = nodes.map((node) => cells(node, view).filter((_, i) => shown[i]));
  const heads = columns.filter((_, i) => shown[i]);
  return [...alarm, ...tableLines(heads, rows, view.columns, view.paint.faint), "", slotSummary(nodes)];
}

/** What fits on a screen of so many lines: machines that are left out are counted. */
export function nodeFrame(nodes: NodesView, note: string, view: View, height: number): string[] {
  const table = nodeTable(nodes, view);
  const foot = [table.at(-1) ?? "", view.paint.faint(note)];
  const body = table.slice(0, -1);
  const room = height - foot.length;
  if (body.length <= room) return [...body, ...foot].slice(0, Math.max(0, height));
  const shown = Math.max(0, room - 1);
  // The summary and the empty line before it stand below the machines.
  const above = table.length - nodes.nodes.length - 2;
  const hidden = nodes.nodes.length - Math.max(0, shown - above);
  return [...body.slice(0, shown), view.paint.faint(`… and ${plural(hidden, "more node")}`), ...foot].slice(0, Math.max(0, height));
}

function cells(node: NodeView, view: View): Cell[] {
  // What a machine out of reach said last is not what it is like now.
  const pulse = node.state.kind === "up" ? node.pulse : null;
  const trouble = nodeTrouble(node, view);
  const work = sessionNames(node);
  return [
    { text: node.id, paint: view.paint.strong },
    { text: nodeState(node), paint: nodePaint(node, view.paint) },
    { text: `${node.used}/${node.slots}` },
    { text: pulse === null ? "" : `${pulse.load1.toFixed(1)}/${pulse.cpus}` },
    { text: pulse === null ? "" : bytesText(pulse.freeMemoryBytes) },
    { text: pulse === null ? "" : bytesText(pulse.freeDiskBytes) },
    { text: node.heardAt === null ? "" : ageText(node.heardAt, view.now) },
    { text: linkText(node) },
    { text: [trouble, work].filter((part) => part !== "").join(" · "), paint: trouble === "" ? view.paint.faint : view.paint.warn },
  ];
}

/** `4 nodes · 12 of 20 slots in use on those that take tasks · 8 slots closed`. */
function slotSummary(nodes: readonly NodeView[]): string {
  const open = nodes.filter((node) => node.state.kind === "up" && node.closed === null);
  const sum = (of: readonly NodeView[], count: (node: NodeView) => number): number => of.reduce((total, node) => total + count(node), 0);
  const slots = sum(open, (node) => node.slots);
  const closed = sum(nodes, (node) => node.slots) - slots;
  const parts = [plural(nodes.length, "node"), `${sum(open, (node) => node.used)} of ${slots} slots in use`];
  if (closed > 0) parts.push(`${plural(closed, "slot")} more on nodes that take no new tasks`);
  return parts.join(" · ");
}
