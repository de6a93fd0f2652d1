import type {
  Clock,
  ExecutorDefinition,
  GatePolicy,
  Ledger,
  Log,
  NodePool,
  Oid,
  ProjectId,
  ProjectSource,
  Repositories,
  TaskSpec,
  VerifyCommand,
} from "@dispatch/core";

import type { SchedulingPolicy } from "@dispatch/scheduler";
import type { CrashPointName } from "./crash-points.ts";
import type { GateSlots } from "./gate-slots.ts";

/** What a project demands of a change, read at one revision of the project and nowhere else. */
export interface ProjectPolicy {
  verify: readonly VerifyCommand[];
  maxRounds: number;
  gates: GatePolicy;
}

/** The factory's configuration as the engine asks for it. */
export interface Settings {
  sourceOf(project: ProjectId): ProjectSource | undefined;
  /** Each configured project; the same map until the configuration changes. */
  scheduling(): ReadonlyMap<ProjectId, SchedulingPolicy>;
  /** The executor a spec asks for, or its project's; undefined when it is not configured. */
  executorOf(spec: TaskSpec): ExecutorDefinition | undefined;
  policyAt(project: ProjectId, revision: Oid): Promise<ProjectPolicy>;
}

/** A named place where the process may be killed; does nothing in production. */
export type CrashPoint = (point: CrashPointName) => void;

/** What landing works with. */
export type LandingPorts = Pick<EnginePorts, "nodes" | "repositories" | "settings" | "at"> & { gateSlots: GateSlots };

export interface EnginePorts {
  ledger: Ledger;
  nodes: NodePool;
  repositories: Repositories;
  settings: Settings;
  clock: Clock;
  log: Log;
  at: CrashPoint;
}
