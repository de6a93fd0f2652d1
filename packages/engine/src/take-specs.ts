import { FactoryError, type FactoryEvent, splitTaskId, type Task, type TaskId, type TaskSpec, taskIdOf, type World } from "@dispatch/core";

/** A checked spec with the file it came from. */
export interface SpecFile {
  spec: TaskSpec;
  digest: string;
  text: string;
  path: string;
  /** Revision of the task when the text was read; without it the text counts as an edit of the newest. */
  base?: number;
}

export interface FeedReport {
  planned: readonly TaskId[];
  revised: readonly TaskId[];
  unchanged: readonly TaskId[];
}

/** An edit of one spec. */
export interface Revision {
  task: TaskId;
  file: SpecFile;
  by: string;
  /**
   * Puts the file in its place. It is called in the turn in which the fact is recorded, so that nothing is decided
   * and no other edit is taken in between; when it throws nothing is recorded.
   */
  place?: () => void;
}

/** What a feed records, and what it says of it. Throws SPEC_CHANGED for a text that may not replace the one of its task. */
export function feedEvents(world: World, files: readonly SpecFile[], by: string): { events: FactoryEvent[]; report: FeedReport } {
  const events: FactoryEvent[] = [];
  const report = { planned: [] as TaskId[], revised: [] as TaskId[], unchanged: [] as TaskId[] };
  for (const file of files) {
    const id = taskIdOf(file.spec.project, file.spec.id);
    const known = world.tasks.get(id);
    if (known === undefined) {
      events.push({ type: "task-planned", task: id, ...factsOf(file), by });
      report.planned.push(id);
    } else if (known.digest === file.digest) {
      report.unchanged.push(id);
    } else {
      if (known.state.kind !== "planned" || known.state.tries > 0) throw changedAfterRun(known, file);
      events.push(revisionEvent(known, file, by));
      report.revised.push(id);
    }
  }
  return { events, report };
}

/**
 * The fact that a task's spec was edited. Throws NOT_ALLOWED while an attempt or a landing builds on the spec as it is,
 * and SPEC_CHANGED when the edit was made from an older revision.
 */
export function revisionEvent(task: Task, file: SpecFile, by: string): FactoryEvent {
  const { kind } = task.state;
  if (kind !== "planned" && kind !== "backoff" && kind !== "parked" && kind !== "cancelled") throw notNow(task);
  if (file.base !== undefined && file.base !== task.revision) {
    throw new FactoryError("SPEC_CHANGED", `spec ${splitTaskId(task.id).specId} is at revision ${task.revision}, you edited ${file.base}`, {
      fault: "user",
      hint: `look at what changed (dispatch spec diff ${task.id} --from ${file.base}), and make your edit again on top of it`,
      facts: { task: task.id, revision: task.revision, baseRevision: file.base },
    });
  }
  return { type: "spec-revised", task: task.id, ...factsOf(file), by };
}

function factsOf({ spec, digest, text, path }: SpecFile): Pick<SpecFile, "spec" | "digest" | "text" | "path"> {
  return { spec, digest, text, path };
}

function notNow(task: Task): FactoryError {
  const { kind } = task.state;
  const done = kind === "landing" || kind === "merged";
  const hint = done
    ? "what is landing or merged is history: write a spec of its own for the change"
    : kind === "cancelling"
      ? `wait until it is cancelled (dispatch why ${task.id}), then edit again`
      : `an attempt works on the spec as it is: dispatch cancel ${task.id} ends it and keeps its work, then edit again`;
  return new FactoryError("NOT_ALLOWED", `the spec of ${task.id} cannot be edited while the task is ${kind}`, {
    fault: "user",
    hint,
    facts: { task: task.id, state: kind, revision: task.revision },
  });
}

function changedAfterRun(task: Task, file: SpecFile): FactoryError {
  const { kind } = task.state;
  const open = kind === "parked" || kind === "cancelled" || kind === "backoff";
  return new FactoryError("SPEC_CHANGED", `${file.path} was edited after ${task.id} ran (it is ${kind})`, {
    fault: "user",
    hint: open
      ? `run it again with the edited spec: dispatch retry ${task.id} --edited; or undo the edit`
      : "give the change a task_id of its own, or undo the edit",
    facts: { task: task.id, state: kind, ledgerDigest: task.digest, fileDigest: file.digest },
  });
}
