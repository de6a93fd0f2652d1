import { type FactoryEvent, laterSpecFields, type SessionIdentity, type TaskSpec, type WrapperFact } from "@dispatch/core";

/** A spec with everything but its id left at a plain value. */
export function aSpec(id: string, change: Partial<TaskSpec> = {}): TaskSpec {
  return {
    id,
    project: "shop",
    title: id,
    type: "feature",
    priority: 2,
    dependsOn: [],
    after: [],
    modifies: [`src/${id}.ts`],
    creates: [],
    deletes: [],
    forbids: [],
    reads: [],
    verify: [],
    executor: "auto",
    estimateMinutes: 10,
    timeoutMinutes: 30,
    attempts: 4,
    allowEmpty: false,
    commit: `feat(shop): ${id}`,
    goal: `Change src/${id}.ts`,
    labels: [],
    ...laterSpecFields,
    ...change,
  };
}

export function planned(spec: TaskSpec): FactoryEvent {
  return {
    type: "task-planned",
    task: `${spec.project}/${spec.id}`,
    spec,
    digest: `digest-${spec.id}`,
    text: `# ${spec.id}\n`,
    path: `specs/${spec.project}/${spec.id}.md`,
  };
}

export const someIdentity: SessionIdentity = { bootId: "boot", tmuxStart: 1, pid: 100, pidStart: "7", token: "token" };

export function reported(attempt: string, seq: number, fact: WrapperFact, reportedAt = seq): FactoryEvent {
  return { type: "wrapper-reported", attempt, seq, reportedAt, fact };
}

/** A commit id that is easy to tell from others. */
export function anOid(n: number): string {
  return n.toString(16).padStart(40, "0");
}
