import type { AttemptId, AttemptReport, FactoryEvent, NodeId, World } from "@dispatch/core";
import { holdsSlot } from "@dispatch/core";
import type { EnginePorts } from "./ports.ts";

type Ports = Pick<EnginePorts, "nodes" | "log">;

/** Takes a node's report in when it is the next one of its attempt; asks again when one is missing. */
export function reportAsEvents(ports: Ports, world: World, report: AttemptReport): FactoryEvent[] {
  const attempt = world.attempts.get(report.attempt);
  if (attempt === undefined || report.seq <= attempt.cursor) return [];
  if (report.seq > attempt.cursor + 1) {
    ports.log.warn({ attempt: report.attempt, seq: report.seq, cursor: attempt.cursor }, "a report is missing; asking the node again");
    ports.nodes.resync(report.node);
    return [];
  }
  const { attempt: id, seq, reportedAt, fact } = report;
  return [{ type: "wrapper-reported", attempt: id, seq, reportedAt, fact }];
}

/** Attempts that their node has never heard of, and that nobody is about to start: they will never report. */
export async function findVanished(ports: Ports, world: World, node: NodeId, starting: ReadonlySet<AttemptId>): Promise<FactoryEvent[]> {
  const known = new Set(await ports.nodes.inventory(node));
  const strangers = [...known].filter((id) => !world.attempts.has(id));
  if (strangers.length > 0) ports.log.info({ node, attempts: strangers }, "the node holds attempts of others; they are left alone");
  return [...world.attempts.values()]
    .filter((attempt) => attempt.node === node && holdsSlot(attempt) && !known.has(attempt.id) && !starting.has(attempt.id))
    .map((attempt) => ({
      type: "attempt-refused",
      attempt: attempt.id,
      because: `node ${node} does not know this attempt any more`,
      retry: "later",
    }));
}
