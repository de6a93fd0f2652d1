import type { Resources } from "@dispatch/core";
import type { NodeMiss, ShutNode } from "@dispatch/scheduler";

/** `42 s`, `12 min`, `3 h`, `2 d`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

/** `14:02:11Z`, with the date when it is more than half a day from now. */
export function timeText(at: number, now: number): string {
  const text = `${new Date(at).toISOString().slice(0, 19)}Z`;
  return Math.abs(now - at) < 12 * 3_600_000 ? text.slice(11) : text;
}

/** `since 14:02:11Z (12 min)`. */
export function sinceText(at: number, now: number): string {
  return `since ${timeText(at, now)} (${durationText(now - at)})`;
}

/** What a node lacks, as the end of a sentence. */
export function nodeMissText(miss: NodeMiss): string {
  switch (miss.kind) {
    case "not-named":
      return "the spec does not name it among its nodes";
    case "label":
      return `it lacks the label${miss.missing.length === 1 ? "" : "s"} ${miss.missing.join(", ")}`;
    case "executor":
      return `it does not run executor ${miss.executor}`;
    case "too-small":
      return `${resourceText(miss.resource, miss.wanted)} ${miss.wanted === 1 ? "is" : "are"} wanted, it has ${resourceText(miss.resource, miss.has)}`;
    case "no-slots":
      return "it has no slots";
    case "closed":
      return `it ${closedText(miss)}`;
    case "down":
      return `it is down: ${miss.because}`;
    case "resource-taken":
      return `${resourceText(miss.resource, miss.wanted)} ${miss.wanted === 1 ? "is" : "are"} wanted, ${resourceText(miss.resource, miss.free)} free`;
    case "slots-taken":
      return `its ${miss.slots} slots are taken`;
  }
}

/** `gpu-1 is cordoned by the lead`, `gpu-1 is down: no route to host`. */
export function shutText(shut: ShutNode): string {
  return `${shut.node} ${closedText(shut)}`;
}

function closedText({ by, because }: Pick<ShutNode, "by" | "because">): string {
  switch (by) {
    case "cordoned":
      return `is ${because}`;
    case "draining":
      return `is being ${because}`;
    case "lost":
      return `is lost: ${because}`;
    case "pressure":
      return `is short of room: ${because}`;
    case "leaving":
      return `is on its way out: ${because}`;
    case "down":
      return `is down: ${because}`;
  }
}

/** What would have a node take tasks again, as a clause. */
export function openText({ node, by }: ShutNode): string {
  switch (by) {
    case "cordoned":
    case "draining":
      return `dispatch node uncordon ${node}`;
    case "lost":
    case "down":
      return `${node} comes up again`;
    case "pressure":
      return `${node} has room again`;
    case "leaving":
      return `${node} is put back into nodes.json`;
  }
}

export function resourceText(resource: keyof Resources, amount: number): string {
  switch (resource) {
    case "cpus":
      return `${amount} core${amount === 1 ? "" : "s"}`;
    case "memoryMb":
      return `${amount} MiB of memory`;
    case "gpus":
      return `${amount} GPU${amount === 1 ? "" : "s"}`;
  }
}
