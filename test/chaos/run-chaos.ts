import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isEnded, type SessionIdentity, type Task, type World } from "@dispatch/core";
import type { StatusView, WhyView } from "@dispatch/protocol";
import { expect } from "vitest";
import { groupName, removeGroup } from "../../packages/worker/src/process/limit/attempt-group.ts";
import { unifiedHierarchy } from "../../packages/worker/src/process/limit/find-cgroup.ts";
import { expectWhole } from "../crash/expect-whole.ts";
import { eventually } from "../kit/eventually.ts";
import { DaemonGone, Refused } from "../kit/real-daemon.ts";
import { project, type RealFactory } from "../kit/real-factory.ts";
import { makeRealFleet, type RealFleet } from "../kit/real-fleet.ts";
import { disturb } from "./disturb.ts";
import { drawPlan, type Happening, type PlanOptions, tellPlan } from "./draw-plan.ts";
import { drawTasks, type TaskOptions } from "./draw-tasks.ts";

export interface ChaosOptions {
  seed: number;
  /** Of each node. */
  slots: number;
  /** After how long out of reach a node is lost. */
  lostAfterMs: number;
  tasks: TaskOptions;
  plan: Omit<PlanOptions, "nodes" | "smallDisk">;
  /** How long it may take until everything is over, once everything is whole again. */
  settleMs: number;
  say(line: string): void;
}

export interface ChaosFigures {
  seconds: number;
  merged: number;
  /** Tasks that had to wait for the lead and were taken up again. */
  parked: number;
  attempts: number;
  fenced: number;
  daemons: number;
}

const nodes = 4;

/** Plays tasks on four nodes while the plan of the seed breaks them, and proves that everything is whole in the end. */
export async function runChaos({ seed, slots, lostAfterMs, tasks, plan: planOptions, settleMs, say }: ChaosOptions): Promise<ChaosFigures> {
  const plan = drawPlan(seed, { ...planOptions, nodes, smallDisk: nodes - 1 });
  const fleet = await makeRealFleet(drawTasks(seed, tasks), {
    nodes,
    slots,
    smallDisk: true,
    reboots: true,
    entry: { lost_after_minutes: lostAfterMs / 60_000 },
  });
  const began = performance.now();
  let failure: unknown;
  try {
    const { factory } = fleet;
    await factory.up();
    await factory.daemon().post(`/projects/${project}/start`);
    await eventually("an agent at work", () => factory.agentRuns().length > 0);
    await playPlan(fleet, plan, say);
    say(`${seconds(began)} s: everything is whole again; ${tellStates(factory.followed.world())}`);
    const parked = await settle(factory, settleMs);
    say(`${seconds(began)} s: everything is over`);
    await publish(factory);
    await expectAnswers(factory);
    await expectNothingHeld(factory);
    await endDaemon(factory);
    await expectWhole(factory);
    await expectMachinesClean(fleet);
    expectNoGroups(fleet);
    const { attempts } = factory.followed.world();
    return {
      seconds: Number(seconds(began)),
      merged: factory.specs.length,
      parked,
      attempts: attempts.size,
      fenced: factory.followed.events().filter(({ event }) => event.type === "attempt-fenced").length,
      daemons: 1 + plan.filter((one) => one.do === "start-controller").length,
    };
  } catch (error) {
    failure = error;
    throw new Error(`seed ${seed}: ${tell(error)}\nplan:\n${tellPlan(plan)}\nkept: ${fleet.factory.dir} and ${fleet.lab.dir}`, { cause: error });
  } finally {
    await (failure === undefined ? fleet.close() : fleet.abandon());
  }
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function tell(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Each thing at its moment, whatever the others are still doing. */
async function playPlan(fleet: RealFleet, plan: readonly Happening[], say: (line: string) => void): Promise<void> {
  const began = performance.now();
  const acts: Promise<void>[] = [];
  for (const happening of plan) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, happening.at - (performance.now() - began))));
    say(`${seconds(began)} s: ${happening.do}${happening.node === null ? "" : ` of node-${happening.node + 1}`}`);
    acts.push(disturb(fleet, happening));
    acts.at(-1)?.catch(() => {});
  }
  await Promise.all(acts);
}

/** Until every task is merged. What waits for the lead must say why, and is taken up again once. */
async function settle(factory: RealFactory, limitMs: number): Promise<number> {
  const over = ({ state }: Task): boolean => state.kind === "merged" || state.kind === "parked";
  const tasks = (): Task[] => [...factory.followed.world().tasks.values()];
  const waiting = (): string => `${tellStates(factory.followed.world())}`;
  const untilOver = async (): Promise<void> => {
    try {
      await eventually("the end of all tasks", () => tasks().length === factory.specs.length && tasks().every(over), limitMs);
    } catch (error) {
      throw new Error(`not over: ${waiting()}; ${await tellTroubles(factory)}`, { cause: error });
    }
  };
  await untilOver();
  const parked = tasks().filter(({ state }) => state.kind === "parked");
  for (const { id, state } of parked) {
    if (state.kind !== "parked") continue;
    expect(state.because.text, `${id} is parked without a reason`).not.toBe("");
    await factory.daemon().post(`/tasks/${id}/retry`);
    await eventually(`the retry of ${id}`, () => factory.followed.world().tasks.get(id)?.state.kind !== "parked");
  }
  await untilOver();
  expect(
    tasks()
      .filter((task) => !isEnded(task))
      .map(({ id, state }) => `${id} ${JSON.stringify(state)}`),
  ).toEqual([]);
  return parked.length;
}

function tellStates({ tasks }: World): string {
  const counts = new Map<string, string[]>();
  for (const { spec, state } of tasks.values()) counts.set(state.kind, [...(counts.get(state.kind) ?? []), spec.id]);
  return [...counts].map(([kind, ids]) => (kind === "merged" ? `${ids.length} merged` : `${kind}: ${ids.join(" ")}`)).join(", ");
}

async function tellTroubles(factory: RealFactory): Promise<string> {
  const { troubles, nodes: rows } = await factory.daemon().get<StatusView>("/status");
  return JSON.stringify({ nodes: rows.map(({ id, status, closed, used }) => ({ id, status, closed, used })), troubles });
}

/** To origin, and until nothing of any attempt is left to be done. */
async function publish(factory: RealFactory): Promise<void> {
  await factory.daemon().post(`/projects/${project}/collect`);
  await eventually("the publishing", () => {
    const collect = factory.followed.world().projects.get(project)?.collect;
    if (collect?.kind !== "idle" || collect.last === null) return false;
    if (collect.last.outcome === "stopped") throw new Refused(collect.last.code, collect.last.because);
    return true;
  });
  const open = (): string[] =>
    [...factory.followed.world().attempts.values()].flatMap(({ id, state }) => (state.kind === "discarded" ? [] : [`${id} ${state.kind}`]));
  await eventually("the end of all attempts", () => open().length === 0).catch(async (error: unknown) => {
    throw new Error(`attempts are not over: ${open().join(", ")}; ${await tellTroubles(factory)}`, { cause: error });
  });
}

/** The lead may ask for every task why it is where it is. */
async function expectAnswers(factory: RealFactory): Promise<void> {
  for (const id of factory.followed.world().tasks.keys()) {
    const why = await factory.daemon().get<WhyView>(`/tasks/${id}/why`);
    expect(why.because, `why ${id}`).not.toBe("");
  }
}

async function expectNothingHeld(factory: RealFactory): Promise<void> {
  const status = await factory.daemon().get<StatusView>("/status");
  expect(status.sessions).toEqual([]);
  expect(status.troubles).toEqual([]);
  expect(status.nodes.map(({ id, used, status: { kind } }) => ({ id, used, kind }))).toEqual(
    status.nodes.map(({ id }) => ({ id, used: 0, kind: "up" })),
  );
}

async function endDaemon(factory: RealFactory): Promise<void> {
  await factory
    .daemon()
    .post("/down", { mode: "leave" })
    .catch((error: unknown) => {
      if (!(error instanceof DaemonGone)) throw error;
    });
  expect(await factory.daemon().ended).toEqual({ code: 0, signal: null });
}

/** Nothing runs on any machine, and no session is there to be looked at. */
async function expectMachinesClean({ machines }: RealFleet): Promise<void> {
  for (const machine of machines) {
    await eventually(`the end of all on ${machine.name}`, () => machine.processes().length === 0, 10_000).catch(() => {});
    expect(
      machine.processes().map(({ pid, args }) => `${pid} ${args}`),
      `processes on ${machine.name}`,
    ).toEqual([]);
    expect(machine.tmuxServers(), `tmux servers on ${machine.name}`).toEqual([]);
  }
}

/** No control group of an attempt is left. Those of earlier boots, which a boot takes away, are removed here. */
function expectNoGroups({ machines, factory }: RealFleet): void {
  const mount = unifiedHierarchy()?.mount;
  if (mount === undefined) return;
  const left: string[] = [];
  for (const { id, node, placedAt } of factory.followed.world().attempts.values()) {
    const group = join(mount, "dispatch-attempts", groupName(`${id}@${placedAt.toString(36)}`));
    if (!existsSync(group)) continue;
    const n = machines.findIndex(({ name }) => name === node);
    const identity = join(factory.nodes[n] ?? "", "attempts", id, "identity.json");
    const boot = existsSync(identity) ? (JSON.parse(readFileSync(identity, "utf8")) as SessionIdentity).bootId : "";
    if (boot === machines[n]?.bootId()) left.push(`${id}: ${group}`);
    else removeGroup(group);
  }
  expect(left, "control groups of attempts").toEqual([]);
}
