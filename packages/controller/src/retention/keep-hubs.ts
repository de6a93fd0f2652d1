import { type Clock, isFactoryError, type Log, type Project, type ProjectId, type StoredEvent, type TaskId, type World } from "@dispatch/core";
import type { GitRepositories } from "@dispatch/git";
import { choosePrunable } from "./choose-prunable.ts";

export interface HubKeeping {
  hubs: Pick<GitRepositories, "keptRefs" | "findHolders" | "pruneRefs" | "forgetCars" | "packHub">;
  world(): World;
  /** At most some hundred events after a position. */
  readEvents(afterSeq: number): readonly StoredEvent[];
  /** How long what ended attempts left is kept, in ms; null: for ever. */
  keepMsOf(project: ProjectId): number | null;
  clock: Clock;
  log: Pick<Log, "info" | "warn">;
}

const firstAfterMs = 5 * 60_000;
const everyMs = 60 * 60_000;
const packLimitMs = 10 * 60_000;

/** Lets go of what nobody has to keep and packs what is left, now and then, in hubs where nothing goes on. Returns how to stop. */
export function keepHubs(parts: HubKeeping): () => Promise<void> {
  const { clock, log } = parts;
  const giveUp = new AbortController();
  let underWay: Promise<void> = Promise.resolve();
  let cancel = clock.after(firstAfterMs, begin);

  function begin(): void {
    underWay = keepAll().finally(() => {
      if (!giveUp.signal.aborted) cancel = clock.after(everyMs, begin);
    });
  }

  async function keepAll(): Promise<void> {
    let lastTold: ReadonlyMap<TaskId, number> | undefined;
    for (const project of parts.world().projects.values()) {
      if (giveUp.signal.aborted) return;
      if (!isIdle(parts.world(), project)) continue;
      try {
        lastTold ??= lastToldOf(parts);
        await keepHub(parts, project.id, lastTold, giveUp.signal);
      } catch (error) {
        if (!isFactoryError(error)) throw error;
        log.warn({ project: project.id, error }, "the hub could not be tidied");
      }
    }
  }

  return async () => {
    giveUp.abort();
    cancel();
    await underWay;
  };
}

/** Nothing of it is being collected, checked, landed or published. Sessions may run: they are on their nodes. */
export function isIdle({ tasks, attempts }: World, project: Project): boolean {
  if (project.collect.kind !== "idle") return false;
  for (const task of tasks.values()) {
    if (task.project !== project.id) continue;
    const { kind } = task.state;
    if (kind === "collecting" || kind === "checking" || kind === "queued" || kind === "landing" || kind === "cancelling") return false;
  }
  for (const attempt of attempts.values()) {
    if (attempt.state.kind !== "ended" && attempt.state.kind !== "collected") continue;
    if (tasks.get(attempt.task)?.project === project.id) return false;
  }
  return true;
}

async function keepHub(parts: HubKeeping, project: ProjectId, lastTold: ReadonlyMap<TaskId, number>, signal: AbortSignal): Promise<void> {
  const { hubs, clock, log } = parts;
  const keepMs = parts.keepMsOf(project);
  const kept = keepMs === null ? [] : await hubs.keptRefs(project);
  const now = clock.now();
  const facts = { world: parts.world(), lastTold, kept, keepMs, now };
  const old = choosePrunable({ ...facts, onMain: new Set() });
  if (old.length > 0) {
    const held = kept.filter(({ ref }) => old.some((one) => one.ref === ref));
    const holders = await hubs.findHolders(project, held);
    const onMain = new Set(held.filter((_, i) => holders[i]?.onMain === true).map(({ commit }) => commit));
    const gone = await hubs.pruneRefs(project, choosePrunable({ ...facts, onMain }), now);
    if (gone.length > 0) log.info({ project, refs: gone.map(({ ref }) => ref) }, "old salvage was let go of; pruned.ndjson of the hub tells which");
  }
  const inFlight = parts.world().projects.get(project)?.train.cars ?? [];
  await hubs.forgetCars(project, new Set(inFlight.map(({ id }) => id)));
  const packed = await hubs.packHub(project, packLimitMs, signal);
  if (packed === "packed") log.info({ project }, "the hub was packed");
}

function lastToldOf({ readEvents }: Pick<HubKeeping, "readEvents">): ReadonlyMap<TaskId, number> {
  const lastTold = new Map<TaskId, number>();
  for (let after = 0; ; ) {
    const events = readEvents(after);
    for (const { event, at } of events) if ("task" in event) lastTold.set(event.task, at);
    const last = events.at(-1);
    if (last === undefined) return lastTold;
    after = last.seq;
  }
}
