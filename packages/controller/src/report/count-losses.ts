import type { ProjectId, StoredEvent, World } from "@dispatch/core";
import type { NodeLossRow } from "@dispatch/protocol";

/** Follows the log for machines that were lost, and counts what each loss cost a project. */
export interface LossCounter {
  take(events: readonly StoredEvent[]): void;
  /** Oldest first: those that cost the project attempts, and those of machines that are lost now. */
  losses(): readonly NodeLossRow[];
}

/** `world` is that of the end of the log. */
export function countLosses({ attempts, tasks }: Pick<World, "attempts" | "tasks">, project: ProjectId): LossCounter {
  const found: NodeLossRow[] = [];
  const change = (node: string, to: (row: NodeLossRow) => Partial<NodeLossRow>): void => {
    const i = found.findLastIndex((row) => row.node === node);
    const row = found[i];
    if (row !== undefined) found[i] = { ...row, ...to(row) };
  };
  return {
    take(events) {
      for (const { at, event } of events) {
        if (event.type === "node-lost") found.push({ node: event.node, lostAt: at, because: event.because, returnedAt: null, fenced: 0 });
        else if (event.type === "node-returned") change(event.node, () => ({ returnedAt: at }));
        else if (event.type === "attempt-fenced") {
          const attempt = attempts.get(event.attempt);
          if (attempt === undefined || tasks.get(attempt.task)?.project !== project) continue;
          change(attempt.node, ({ fenced }) => ({ fenced: fenced + 1 }));
        }
      }
    },
    losses: () => found.filter((row) => row.fenced > 0 || row.returnedAt === null),
  };
}
