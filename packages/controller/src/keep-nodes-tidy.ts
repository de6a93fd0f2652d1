import {
  type Attempt,
  type AttemptId,
  type Clock,
  errorCode,
  isFactoryError,
  type Log,
  type NodeId,
  type NodeSnapshot,
  type World,
} from "@dispatch/core";
import type { ConnectedNodePool } from "@dispatch/fleet";
import type { TidyOrder } from "@dispatch/protocol";

/** What the configuration says about a node's leftovers. */
export type TidyPolicy = Pick<TidyOrder, "keepMs" | "quotaBytes" | "projectQuotaBytes">;

export interface TidyParts {
  nodes: Pick<ConnectedNodePool, "nodes" | "onChange" | "tidy">;
  world(): World;
  /** Projects that are configured. */
  projects(): readonly string[];
  /** Undefined for a node that is not configured any more. */
  policyOf(node: NodeId): TidyPolicy | undefined;
  clock: Clock;
  log: Pick<Log, "debug" | "info" | "warn">;
}

const everyMs = 30 * 60_000;
const pressedEveryMs = 5 * 60_000;
/** What is kept of the records under pressure. */
const pressedKeepMs = 60 * 60_000;
const unconfigured: TidyPolicy = { keepMs: 7 * 24 * 60 * 60_000, quotaBytes: null, projectQuotaBytes: null };

interface Tidied {
  up: boolean;
  pressed: boolean;
  busy: boolean;
  /** Something happened while it was busy. */
  again: boolean;
  cancel(): void;
}

/** Has every node remove what may go: when it comes up, at once when it is short of room, and now and then. Returns how to stop. */
export function keepNodesTidy(parts: TidyParts): () => void {
  const known = new Map<NodeId, Tidied>();
  let closed = false;

  function look(): void {
    if (closed) return;
    const snapshots = parts.nodes.nodes();
    for (const snapshot of snapshots) lookAt(snapshot);
    const ids = new Set(snapshots.map(({ id }) => id));
    for (const [id, tidied] of known) {
      if (ids.has(id)) continue;
      tidied.cancel();
      known.delete(id);
    }
  }

  function lookAt({ id, status, closed: closure }: NodeSnapshot): void {
    const tidied = known.get(id) ?? { up: false, pressed: false, busy: false, again: false, cancel: () => {} };
    known.set(id, tidied);
    const before = { up: tidied.up, pressed: tidied.pressed };
    tidied.up = status.kind === "up";
    tidied.pressed = closure?.kind === "pressure";
    if (!tidied.up) tidied.cancel();
    else if (!before.up || (tidied.pressed && !before.pressed)) void tidy(id, tidied);
  }

  async function tidy(node: NodeId, tidied: Tidied): Promise<void> {
    tidied.cancel();
    if (tidied.busy) {
      tidied.again = true;
      return;
    }
    tidied.busy = true;
    try {
      const order = composeOrder(parts, node, tidied.pressed);
      const { freedBytes, usage } = await parts.nodes.tidy(node, order);
      if (freedBytes > 0) parts.log.info({ node, freedBytes, bytes: usage.bytes }, "node was tidied");
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      if (errorCode(error) !== "NODE_UNREACHABLE") parts.log.warn({ node, error }, "node could not be tidied");
    }
    tidied.busy = false;
    const again = tidied.again;
    tidied.again = false;
    if (closed || !tidied.up || known.get(node) !== tidied) return;
    if (again) void tidy(node, tidied);
    else tidied.cancel = parts.clock.after(tidied.pressed ? pressedEveryMs : everyMs, () => void tidy(node, tidied));
  }

  parts.nodes.onChange(look);
  look();
  return () => {
    closed = true;
    for (const { cancel } of known.values()) cancel();
  };
}

/** What may go from a node, by what the ledger knows. */
function composeOrder({ world, projects, policyOf }: Pick<TidyParts, "world" | "projects" | "policyOf">, node: NodeId, pressed: boolean): TidyOrder {
  const { keepMs, ...quotas } = policyOf(node) ?? unconfigured;
  const { attempts, tasks } = world();
  const over: AttemptId[] = [];
  const worked = new Set(projects());
  for (const attempt of attempts.values()) {
    if (attempt.node !== node) continue;
    if (isHeld(attempt)) over.push(attempt.id);
    const project = tasks.get(attempt.task)?.project;
    if (attempt.state.kind !== "discarded" && project !== undefined) worked.add(project);
  }
  return { ...quotas, over, keepMs: pressed ? Math.min(keepMs, pressedKeepMs) : keepMs, projects: [...worked] };
}

/** What was refused, given up or forgotten by its node may still have work there that the hub never saw. */
function isHeld({ state }: Attempt): boolean {
  if (state.kind !== "discarded") return false;
  const { tip, salvage, outcome } = state;
  return tip !== null || salvage !== null || (outcome.kind !== "lost" && outcome.kind !== "unusable");
}
