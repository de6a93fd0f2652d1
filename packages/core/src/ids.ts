/** A project's name in dispatch.yaml: lower-case letters, digits and single dashes. */
export type ProjectId = string;
/** `<project>/<spec id>`, for example `clawmarketing/S01-schedule-schema`. */
export type TaskId = string;
/** A car of a project's landing train: its number, from 1. Cars of older logs have the task they held as their name. */
export type CarId = string;
/** `<project>--<spec id>--<n>`; safe as a tmux session name, a folder name and a ref component. */
export type AttemptId = string;
/** A node's name in nodes.json. */
export type NodeId = string;
/** A full git object id in lower-case hex. */
export type Oid = string;

export const projectIdPattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
export const specIdPattern = /^[A-Z][A-Za-z0-9]*\d+(-[a-z0-9]+)*$/;

export function taskIdOf(project: ProjectId, specId: string): TaskId {
  return `${project}/${specId}`;
}

export function splitTaskId(task: TaskId): { project: ProjectId; specId: string } {
  const slash = task.indexOf("/");
  return { project: task.slice(0, slash), specId: task.slice(slash + 1) };
}

export function attemptIdOf(task: TaskId, n: number): AttemptId {
  const { project, specId } = splitTaskId(task);
  return `${project}--${specId}--${n}`;
}

/** The branch an attempt's work is committed on, inside its project's repositories. */
export function attemptBranch(specId: string, n: number): string {
  return `dispatch/${specId}/${n}`;
}

/** The ref that keeps an attempt's branch in the hub after it was collected. */
export function resultRef(attempt: AttemptId): string {
  return `refs/dispatch/result/${attempt}`;
}

/** Where a node keeps what was generated last in a verify worktree. */
export function generatedRef(bay: number): string {
  return `refs/dispatch/generated/${bay}`;
}

/** The ref that keeps everything an attempt left in its worktree. */
export function salvageRef(attempt: AttemptId): string {
  return `refs/dispatch/salvage/${attempt}`;
}

/** The ref that holds what a live attempt had at the end of its newest round. */
export function checkpointRef(attempt: AttemptId): string {
  return `refs/dispatch/checkpoint/${attempt}`;
}
