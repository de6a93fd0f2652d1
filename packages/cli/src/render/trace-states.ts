import { type FactoryEvent, hasBlocking, type StoredEvent, type Task } from "@dispatch/core";
import { eventText } from "./event-text.ts";
import { specIdOf, statePaint } from "./task-table.ts";
import type { View } from "./view.ts";

type State = Task["state"]["kind"];

/** What an event makes of its task: a state, `unchanged`, or `ask` where only the daemon knows how many tries are left. */
export type NextState = State | "unchanged" | "ask";

/** The state that an event leads to, as far as the event alone tells. */
export function nextState(event: FactoryEvent): NextState {
  switch (event.type) {
    case "task-planned":
    case "task-retried":
    case "spec-revised":
      return "planned";
    case "task-placed":
      return "starting";
    case "wrapper-reported":
      if (event.fact.type === "attempt-started" || event.fact.type === "round-started") return "running";
      return event.fact.type === "attempt-ended" ? "collecting" : "unchanged";
    case "task-cancelled":
    case "attempt-refused":
    case "attempt-collected":
    case "attempt-fenced":
    case "candidate-refused":
      return "ask";
    case "result-checked":
      return hasBlocking(event.findings) ? "ask" : "queued";
    case "task-merged":
      return "merged";
    case "car-planned":
    case "car-built":
    case "car-passed":
    case "car-failed":
    case "run-broken":
    case "car-dropped":
    case "car-landed":
    case "attempt-stop-asked":
    case "workspace-discarded":
    case "attempt-retired":
    case "attempt-abandoned":
    case "node-cordoned":
    case "node-uncordoned":
    case "node-lost":
    case "node-returned":
    case "project-started":
    case "project-paused":
    case "landing-frozen":
    case "contract-changed":
    case "collect-requested":
    case "origin-taken-in":
    case "publishing-planned":
    case "origin-moved":
    case "main-published":
    case "main-watched":
    case "collect-stopped":
      return "unchanged";
  }
}

/** One line of a task's or the project's way: `12:03:11 S01-x planned→starting  attempt 1 on local`. */
export function traceLine(stored: StoredEvent, before: State | undefined, after: State | undefined, view: View): string {
  const { subject, text } = eventText(stored.event);
  const arrow =
    after === undefined
      ? ""
      : `${before === undefined || before === after ? "" : `${before}→`}${statePaint({ state: after, display: after }, view.paint)(after)} `;
  return `${view.timeOf(stored.at)} ${specIdOf(subject)} ${arrow} ${text}`.trimEnd();
}
