import type { AttemptLimits } from "@dispatch/core";
import type { NodeView } from "@dispatch/protocol";
import { ageText, bytesText, countText, durationText, plural } from "./figures.ts";
import { freeText, linkText, nodePaint, nodeState, nodeTrouble } from "./node-words.ts";
import { type Column, tableLines } from "./table.ts";
import { oneLine } from "./text-width.ts";
import type { View } from "./view.ts";

type Pulse = NonNullable<NodeView["pulse"]>;

const sessionColumns: readonly Column[] = [
  { title: "TASK" },
  { title: "ATTEMPT" },
  { title: "ROUND", align: "end" },
  { title: "FOR", align: "end" },
  { title: "STATE", grow: true },
];

/** Everything about one machine. */
export function nodeLines(node: NodeView, view: View): string[] {
  const { paint } = view;
  const trouble = nodeTrouble(node, view);
  const lines = [
    `${paint.strong(node.id)}  ${nodePaint(node, paint)(nodeState(node))}${trouble === "" ? "" : `: ${oneLine(trouble)}`}`,
    ...facts([...reachFacts(node, view), ...offerFacts(node), ...(node.pulse === null ? [] : pulseFacts(node.pulse, view))]),
  ];
  if (node.sessions.length > 0) lines.push("", ...sessionLines(node, view));
  if (node.fenced.length > 0) lines.push("", ...fencedLines(node, view));
  if (node.unfetched.length > 0) lines.push("", `ended, not fetched and removed yet: ${node.unfetched.join(", ")}`);
  return [...lines, ...adviceLines(node)];
}

type Fact = readonly [name: string, value: string];

function facts(all: readonly Fact[]): string[] {
  return all.flatMap(([name, value]) => (value === "" ? [] : [`  ${name.padEnd(11)} ${oneLine(value)}`]));
}

function reachFacts(node: NodeView, view: View): Fact[] {
  const { link, heardAt, lostAfterMs } = node;
  const heard = heardAt === null ? "not heard since the daemon began" : `heard ${ageText(heardAt, view.now)} ago`;
  const found = link?.home ?? null;
  return [
    ["reached", link === null ? "" : `${linkText(node)}, ${heard}`],
    ["folder", link === null ? "" : `${link.workDir}${found === null || found === link.workDir ? "" : ` (${found})`}`],
    ["Node.js", link?.nodeVersion ?? ""],
    ["host key", link?.hostKey ?? ""],
    ["lost after", lostAfterMs === null ? "never by itself" : `${durationText(lostAfterMs)} out of reach, while another node is up`],
  ];
}

function offerFacts({ slots, used, lowPriority, labels, executors, capacity, limits }: NodeView): Fact[] {
  const gpus = capacity.gpus === 0 ? "" : `, ${plural(capacity.gpus, "GPU")}`;
  return [
    ["slots", `${used} of ${slots} in use${lowPriority ? "; gets work only when no other node has room" : ""}`],
    ["labels", labels.join(", ")],
    ["executors", executors === null ? "all" : executors.join(", ")],
    ["tasks get", `${plural(capacity.cpus, "core")}, ${bytesText(capacity.memoryMb * 2 ** 20)}${gpus} together`],
    ["an attempt", limitsText(limits)],
  ];
}

function limitsText({ memoryMb, cpus, processes, outputMb }: AttemptLimits): string {
  const parts: string[] = [];
  if (memoryMb !== null) parts.push(bytesText(memoryMb * 2 ** 20));
  if (cpus !== null) parts.push(plural(cpus, "core"));
  if (processes !== null) parts.push(`${processes} processes`);
  if (outputMb !== null) parts.push(`${outputMb} MiB of output a round`);
  return parts.length === 0 ? "" : `${parts.join(", ")} at most`;
}

function pulseFacts(pulse: Pulse, view: View): Fact[] {
  const { usage } = pulse;
  const inodes = pulse.freeInodes === null ? "" : `, ${countText(pulse.freeInodes)} inodes`;
  const projects = Object.entries(usage?.projects ?? {}).sort(([, a], [, b]) => b - a);
  const shares = projects.map(([name, bytes]) => `${name} ${bytesText(bytes)}`).join(", ");
  return [
    ["load", `${pulse.load1.toFixed(2)} on ${plural(pulse.cpus, "core")}`],
    ["memory", freeText(pulse.freeMemoryBytes, pulse.totalMemoryBytes)],
    ["disk", `${freeText(pulse.freeDiskBytes, pulse.totalDiskBytes)}${inodes}`],
    ...pulse.gpus.map(
      (gpu): Fact => ["GPU", `${gpu.name}: ${gpu.busyPercent}% busy, ${freeText(gpu.freeMemoryMb * 2 ** 20, gpu.totalMemoryMb * 2 ** 20)}`],
    ),
    ["agents", pulse.agents.map(agentText).join(", ")],
    ["limits by", pulse.limits],
    ["trouble", pulse.trouble ?? ""],
    [
      "takes",
      usage === null ? "" : `${bytesText(usage.bytes)} of its disk, measured ${ageText(usage.at, view.now)} ago${shares === "" ? "" : `: ${shares}`}`,
    ],
  ];
}

function agentText({ name, version, login }: Pulse["agents"][number]): string {
  const known = version === null ? name : `${name} ${version}`;
  return login === "unknown" ? known : `${known} (${login === "yes" ? "logged in" : "not logged in"})`;
}

function sessionLines({ sessions }: NodeView, view: View): string[] {
  const rows = sessions.map(({ task, attempt, round, since, state }) => [
    { text: task },
    { text: attempt },
    { text: round === 0 ? "" : String(round) },
    { text: ageText(since, view.now) },
    { text: state, paint: state === "stopping" ? view.paint.warn : view.paint.active },
  ]);
  return tableLines(sessionColumns, rows, view.columns, view.paint.faint);
}

function fencedLines({ fenced, state }: NodeView, view: View): string[] {
  const until = state.kind === "up" ? "they are stopped and fetched now" : "they are stopped and fetched when it is back";
  return [
    `fenced: their tasks went on without them; ${until}`,
    ...fenced.map(({ attempt, since, because }) => `  ${attempt}  ${view.paint.faint(`${ageText(since, view.now)} ago: ${oneLine(because)}`)}`),
  ];
}

function adviceLines({ id, resting, state, closed }: NodeView): string[] {
  const lines: string[] = [];
  if (resting !== null) lines.push(`  try: dispatch node uncordon ${id}`);
  if (state.kind === "lost") lines.push(`  try: dispatch node doctor ${id}; if it is gone for good, dispatch node remove ${id} --abandon`);
  else if (state.kind === "down") lines.push(`  try: dispatch node doctor ${id}`);
  else if (closed?.kind === "pressure") lines.push(`  try: make room on ${id}; it takes tasks again by itself`);
  return lines.length === 0 ? [] : ["", ...lines];
}
