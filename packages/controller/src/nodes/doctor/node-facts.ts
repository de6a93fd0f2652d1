import type { Heartbeat } from "@dispatch/protocol";
import type { Survey } from "../survey-node.ts";

/** How one look at a node went. `skipped`: it could not be tried, since something before it failed or it does not apply. */
export type Look<T> =
  | { kind: "seen"; value: T }
  | { kind: "failed"; because: string; hint: string | null; facts: Readonly<Record<string, unknown>> }
  | { kind: "late"; limitMs: number }
  | { kind: "skipped"; because: string };

/** Everything that was found out about one node. */
export interface NodeFacts {
  node: string;
  /** Null: this machine. */
  target: string | null;
  slots: number;
  /** Whether nodes.json limits what an attempt may take there. */
  limited: boolean;
  /** Below this free it takes no new tasks; null: a tenth of what there is, at most 2 GiB and 512 MiB. */
  lowWater: { diskBytes: number | null; memoryBytes: number | null };
  executors: readonly { name: string; program: string }[];
  address: Look<{ host: string; addresses: readonly string[] }>;
  port: Look<{ port: number; ms: number }>;
  hostKey: Look<{ pinned: string | null; shown: string }>;
  login: Look<{ transport: string; ms: number }>;
  survey: Look<Survey>;
  tmuxSession: Look<{ ms: number }>;
  worker: Look<{ nodeVersion: string | null; bundle: string }>;
  host: Look<{ ms: number }>;
  heartbeat: Look<Heartbeat>;
  relay: Look<{ ms: number }>;
  channels: Look<{ opened: number; wanted: number }>;
}
