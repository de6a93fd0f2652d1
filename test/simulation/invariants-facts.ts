import { isDeepStrictEqual } from "node:util";
import type { AttemptId, FactoryEvent, Oid, ProjectId, StoredEvent, TaskId, World } from "@dispatch/core";
import { foldEvent, openWorld } from "../../packages/store/src/fold-events.ts";
import type { Controller } from "./controller.ts";
import { checkNodeFact } from "./invariants-nodes.ts";
import { isOpenNode, openDependency, reportingSession } from "./readings.ts";
import type { Sim } from "./sim.ts";

/** An attempt never goes back on this line. */
const way: readonly string[] = ["starting", "running", "stopping", "ended", "fenced", "collected", "discarded"];

/** Watches the log as it grows: what each fact may follow, and that the log folds to the rows beside it. */
export interface FactWatch {
  /** Looks at the facts that became durable since the last call. */
  look(): void;
  readonly folded: World;
}

export function watchFacts(sim: Sim, controller: Controller): FactWatch {
  const folded = openWorld();
  const placed = new Map<string, number>();
  const merged = new Set<string>();
  /** Facts of its session that each attempt has taken in. */
  const heard = new Map<AttemptId, number>();
  const places = new Map<AttemptId, number>();
  let seen = 0;

  function check({ event, at }: StoredEvent): void {
    if (event.type === "task-placed") checkPlacing(event, at);
    else if (event.type === "wrapper-reported") checkReport(event);
    else if (event.type === "car-planned") checkLanding(event.project, event.members);
    else if (event.type === "task-merged") checkMerge(event.task, event.commit);
    else checkNodeFact(sim, controller, folded, event, at);
  }

  function checkLanding(id: ProjectId, members: readonly TaskId[]): void {
    const project = folded.projects.get(id);
    if (members.length === 0) sim.violate("order", `a car of ${id} holds nothing`);
    if (project?.landing.kind === "frozen") sim.violate("order", `${members.join()} began to land while landing is frozen`);
    const collect = project?.collect.kind;
    if (collect === "taking-in" || collect === "publishing") sim.violate("order", `${members.join()} began to land while origin is ${collect}`);
  }

  function checkMerge(task: TaskId, commit: Oid): void {
    if (merged.has(task)) sim.violate("3 merged", `${task} was merged twice`);
    merged.add(task);
    const { main } = sim.truth.hub(folded.tasks.get(task)?.project ?? "");
    if (!sim.truth.isAncestor(commit, main)) sim.violate("3 merged", `${task} is called merged, and its commit is not on main`);
  }

  function checkPlacing(event: Extract<FactoryEvent, { type: "task-placed" }>, at: number): void {
    const before = placed.get(event.task) ?? 0;
    if (event.n <= before) sim.violate("attempt numbers", `${event.task} was placed as attempt ${event.n} after ${before}`);
    placed.set(event.task, event.n);
    const task = folded.tasks.get(event.task);
    if (task === undefined) return;
    if (folded.projects.get(task.project)?.placing.kind === "paused") sim.violate("order", `${task.id} was placed while its project is paused`);
    const open = openDependency(folded, task);
    if (!isOpenNode(folded, event.node)) sim.violate("closed nodes", `${task.id} was placed on ${event.node}, which takes no tasks`);
    if (open !== undefined) sim.violate("order", `${task.id} was placed before ${open}, for which it has to wait`);
    if (task.state.kind === "backoff" && task.state.until > at) sim.violate("order", `${task.id} was placed before its pause was over`);
  }

  function checkReport({ attempt, seq, fact }: Extract<FactoryEvent, { type: "wrapper-reported" }>): void {
    const before = heard.get(attempt) ?? 0;
    const state = folded.attempts.get(attempt)?.state.kind;
    if (state === "fenced") sim.violate("8 fence", `report ${seq} of ${attempt} was recorded, and it is fenced`);
    if (seq !== before + 1) sim.violate("exactly once", `report ${seq} of ${attempt} was recorded after ${before}`);
    heard.set(attempt, seq);
    const session = reportingSession(sim, attempt);
    if (session === undefined || session.ghost) return;
    if (!isDeepStrictEqual(session.log.get(seq)?.fact, fact))
      sim.violate("exactly once", `report ${seq} of ${attempt} is not what its session wrote`);
  }

  return {
    folded,
    look() {
      for (; seen < sim.ledger.events.length; seen++) {
        const stored = sim.ledger.events[seen];
        if (stored === undefined) return;
        check(stored);
        const change = foldEvent(folded, stored);
        for (const { id, state } of change?.attempts ?? []) {
          const place = way.indexOf(state.kind);
          const was = places.get(id) ?? 0;
          if (way[was] === "fenced" && state.kind === "collected") sim.violate("8 fence", `${id} was collected although it is fenced`);
          if (place < was) sim.violate("one way", `${id} went from ${way[was]} back to ${state.kind}`);
          places.set(id, place);
        }
        if (change === undefined) sim.violate("6 fold", `fact ${stored.seq} (${stored.event.type}) changes nothing when the log is read again`);
      }
    },
  };
}
