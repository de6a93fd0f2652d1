import type { AttemptOutcome, CarEvent, CommandResult, ContractChange, FactoryEvent, Finding, WrapperFact } from "@dispatch/core";
import { durationText, plural, shortOid, tokensText } from "./figures.ts";
import { findingHead } from "./finding-lines.ts";
import { specIdOf } from "./task-table.ts";
import { oneLine } from "./text-width.ts";

/** What an event says, for a person. */
export interface EventText {
  /** `PROJECT/SPEC_ID`; the project's id when the event is about no task; `node NAME` when it is about a machine. */
  subject: string;
  project: string;
  text: string;
}

/** The subject and the sentence of an event. */
export function eventText(event: FactoryEvent): EventText {
  const subject = subjectOf(event);
  const slash = subject.indexOf("/");
  return { subject, project: slash < 0 ? subject : subject.slice(0, slash), text: oneLine(sentenceOf(event)) };
}

function subjectOf(event: FactoryEvent): string {
  if ("task" in event) return event.task;
  if ("project" in event) return event.project;
  if ("attempt" in event) return taskOfAttempt(event.attempt);
  return `node ${event.node}`;
}

/** `shop--S01-x--2` belongs to `shop/S01-x`. */
export function taskOfAttempt(attempt: string): string {
  const first = attempt.indexOf("--");
  return `${attempt.slice(0, first)}/${attempt.slice(first + 2, attempt.lastIndexOf("--"))}`;
}

function sentenceOf(event: FactoryEvent): string {
  if (isAboutNode(event)) return nodeText(event);
  if (isAboutAttempt(event)) return attemptText(event);
  switch (event.type) {
    case "project-started":
      return `started, main is ${shortOid(event.main)}`;
    case "project-paused":
      return `paused by ${event.by}`;
    case "task-planned":
      return `planned: ${event.spec.title}`;
    case "spec-revised":
      return "planned again with an edited spec";
    case "task-placed":
      return `attempt ${event.n} on ${event.node} with ${event.executor}`;
    case "task-retried":
      return `retried by ${event.by}`;
    case "task-cancelled":
      return `cancelled by ${event.by}`;
    case "contract-changed":
      return `the shared contract changed with ${shortOid(event.commit)}: ${contractText(event.entries)}`;
    case "collect-requested":
      return `collect asked for by ${event.by}`;
    case "origin-taken-in":
      return `took in ${plural(event.commits, "commit")} of origin, main is ${shortOid(event.main)}`;
    case "publishing-planned":
      return "publishing main";
    case "origin-moved":
      return "origin moved meanwhile, taking it in again";
    case "main-published":
      return `published ${shortOid(event.commit)}${event.url === undefined ? "" : ` by ${event.url}`}`;
    case "main-watched":
      return watchedText(event);
    case "collect-stopped":
      return `collect stopped: ${event.because}`;
    case "landing-frozen":
      return `landing frozen at ${shortOid(event.commit)}: ${event.because}`;
    case "candidate-refused":
      return event.conflict === null
        ? `refused: ${findingsText(event.findings)}`
        : `conflict in ${event.conflict.paths.map((one) => one.path).join(", ")}`;
    case "task-merged":
      return `merged as ${shortOid(event.commit)}`;
    case "car-planned":
    case "car-built":
    case "car-passed":
    case "car-failed":
    case "run-broken":
    case "car-dropped":
    case "car-landed":
      return `car ${event.car} ${carText(event)}`;
  }
}

type NodeEvent = Extract<FactoryEvent, { type: `node-${string}` }>;

function isAboutNode(event: FactoryEvent): event is NodeEvent {
  return event.type.startsWith("node-");
}

function nodeText(event: NodeEvent): string {
  switch (event.type) {
    case "node-cordoned":
      return event.drain ? `drained by ${event.by}: takes no new tasks and becomes empty` : `cordoned by ${event.by}: takes no new tasks`;
    case "node-uncordoned":
      return `takes tasks again, by ${event.by}`;
    case "node-lost":
      return `lost: ${event.because}; its tasks go on elsewhere`;
    case "node-returned":
      return "is back; what was fenced there is stopped and fetched";
  }
}

type AttemptEvent = Exclude<Extract<FactoryEvent, { attempt: string }>, { type: "task-placed" }>;

function isAboutAttempt(event: FactoryEvent): event is AttemptEvent {
  return "attempt" in event && event.type !== "task-placed";
}

function attemptText(event: AttemptEvent): string {
  switch (event.type) {
    case "attempt-refused":
      return `could not start: ${event.because}`;
    case "wrapper-reported":
      return factText(event.fact);
    case "attempt-stop-asked":
      return `asked to stop: ${event.because}`;
    case "attempt-collected":
      return event.salvage === null ? "its work is in the hub" : "its work is in the hub, with what it left uncommitted";
    case "workspace-discarded":
      return "its worktree was removed";
    case "attempt-fenced":
      return `fenced, what it still says is not heard: ${event.because}`;
    case "attempt-retired":
      return event.tip === null && event.salvage === null ? "the fenced session left nothing" : "what the fenced session left is in the hub";
    case "attempt-abandoned":
      return `given up by ${event.by}, with what lies on its node`;
    case "result-checked":
      return `checked on the controller: ${findingsText(event.findings)}${event.alone === true ? "; lands by itself" : ""}`;
  }
}

function carText(event: CarEvent): string {
  switch (event.type) {
    case "car-planned": {
      const on = event.ahead.length === 0 ? "" : `, behind ${event.ahead.map((car) => `car ${car}`).join(", ")}`;
      return `${event.kind === "part" ? "asks who is to blame" : "is to land"}: ${event.members.map(specIdOf).join(", ")}${on}`;
    }
    case "car-built":
      return `is tested as ${shortOid(event.candidate.commit)}, which is main with ${event.members.length === 1 ? "one branch" : `${event.members.length} branches`}${notesText(event.notes ?? [])}`;
    case "car-passed":
      return `is green: ${event.verify.map(commandText).join("; ") || "the same tree was before"}`;
    case "car-failed":
      return `is red: ${findingsText(event.findings)}`;
    case "run-broken":
      return `is run again: ${event.because}`;
    case "car-dropped":
      return `is given up, its branches wait again: ${event.because}`;
    case "car-landed":
      return `landed, main is ${shortOid(event.commit)}`;
  }
}

function contractText(entries: readonly ContractChange[]): string {
  const named = entries.slice(0, 5).map(({ file, anchor, change }) => `${anchor === "" ? file : `${file}#${anchor}`} ${change}`);
  return `${named.join(", ")}${entries.length > 5 ? ` and ${entries.length - 5} more` : ""}`;
}

function notesText(notes: readonly Finding[]): string {
  return notes.map((note) => `; ${findingHead(note)}`).join("");
}

function factText(fact: WrapperFact): string {
  switch (fact.type) {
    case "attempt-started":
      return "session is up";
    case "round-started":
      return `round ${fact.round}`;
    case "agent-ended": {
      const tokens = tokensText(fact.usage);
      return `round ${fact.round}: the agent ${resultText(fact.result)}${tokens === "" ? "" : `, tokens ${tokens}`}`;
    }
    case "round-checked":
      return `round ${fact.round} checked: ${findingsText(fact.findings)}${shownText(fact)}`;
    case "attempt-ended":
      return outcomeText(fact.outcome);
  }
}

function watchedText({ commit, outcome, findings }: Extract<FactoryEvent, { type: "main-watched" }>): string {
  const after = `the tests of ${shortOid(commit)} after publishing`;
  if (outcome === "red") return `${after}: ${findingsText(findings)}`;
  const first = findings[0];
  return first === undefined ? `${after}: green` : `${after}: green, red once before: ${findingHead(first)}`;
}

/** What was shown besides the verify commands, where there was anything. */
function shownText({ acceptance = [], flaky = [] }: Extract<WrapperFact, { type: "round-checked" }>): string {
  const met = acceptance.filter((each) => each.met).length;
  const items = acceptance.length === 0 ? "" : `; ${met} of ${plural(acceptance.length, "acceptance item")} met`;
  return flaky.length === 0 ? items : `${items}; ${plural(flaky.length, "flaky test")}`;
}

/** How an attempt ended, as a clause. */
export function outcomeText(outcome: AttemptOutcome): string {
  switch (outcome.kind) {
    case "succeeded":
      return `succeeded after ${plural(outcome.rounds, "round")}`;
    case "exhausted":
      return `not accepted after ${plural(outcome.rounds, "round")}`;
    case "unusable":
      return `the agent cannot be run: ${outcome.because}`;
    case "lost":
      return `lost: ${outcome.because}`;
    case "stopped":
      return `stopped: ${outcome.because}`;
  }
}

/** `green`, `1 note`, `2 findings (G03, G07): what the first one found`. */
export function findingsText(findings: readonly Finding[]): string {
  const blocking = findings.filter((finding) => finding.severity === "block");
  const first = blocking[0];
  if (first === undefined) return findings.length === 0 ? "green" : `green, ${plural(findings.length, "note")}`;
  const gates = [...new Set(blocking.map((finding) => finding.gate))].join(", ");
  return `${plural(blocking.length, "finding")} (${gates}): ${findingHead(first)}`;
}

function commandText(result: CommandResult): string {
  return `${result.command} ${resultText(result)}`;
}

function resultText(result: CommandResult): string {
  const after = `after ${durationText(result.durationMs)}`;
  switch (result.outcome) {
    case "exited":
      return result.exitCode === 0 ? `ended ${after}` : `ended with exit code ${result.exitCode} ${after}`;
    case "timed-out":
      return `was stopped, out of time ${after}`;
    case "killed":
      return `was killed${result.signal === null ? "" : ` by ${result.signal}`} ${after}`;
    case "not-started":
      return "could not be started";
  }
}
