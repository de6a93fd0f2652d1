import { type FactoryEvent, type SessionIdentity, salvageRef } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { eventually } from "../kit/eventually.ts";
import { isRunning } from "../kit/find-processes.ts";
import { type FactorySpec, project, type RealFactory, waitStep } from "../kit/real-factory.ts";
import type { RealFleet } from "../kit/real-fleet.ts";
import type { SshMachine } from "../kit/real-sshd.ts";
import { expectNothingLost, expectWhole } from "./expect-whole.ts";
import { inFleet } from "./in-fleet.ts";
import { endDaemon, playThrough, startProject, untilMerged } from "./play-out.ts";

const ids = ["S01-one", "S02-two", "S03-three", "S04-four"];
const fileOf = (id: string): string => `${id.slice(4)}.txt`;

/** First attempts write half of their work and wait for a name of their own; later ones wait for nobody. */
function fourTasks(): FactorySpec[] {
  return ids.map((id) => {
    const half = { append: fileOf(id), content: `the line of half ${id}\n` };
    const rest = { append: fileOf(id), content: `the line of ${id}\n` };
    return {
      id,
      creates: [fileOf(id)],
      attempts: [
        [half, waitStep(id), rest],
        [half, rest],
      ],
    };
  });
}

/** All four agents wait, two on each of the machines; gives the tasks on the second one. */
async function untilAtWork({ factory, machines }: RealFleet): Promise<{ away: string[]; kept: string[]; machine: SshMachine }> {
  for (const id of ids) factory.hold(id);
  await factory.up();
  await startProject(factory);
  await eventually("four agents", () => ids.every((id) => factory.held(id).length === 1));
  await factory.until("four sessions", () => ids.every((id) => factory.followed.task(id)?.state.kind === "running"));
  const [, machine] = machines;
  if (machine === undefined) throw new Error("there is no second machine");
  const away = ids.filter((id) => factory.followed.world().attempts.get(firstOf(id))?.node === machine.name);
  expect(away).toHaveLength(2);
  return { away, kept: ids.filter((id) => !away.includes(id)), machine };
}

function firstOf(id: string): string {
  return `${project}--${id}--1`;
}

function factsOf<T extends FactoryEvent["type"]>(factory: RealFactory, type: T): Extract<FactoryEvent, { type: T }>[] {
  return factory.followed.events().flatMap(({ event }) => (event.type === type ? [event as Extract<FactoryEvent, { type: T }>] : []));
}

function identityOf(factory: RealFactory, attempt: string): SessionIdentity | undefined {
  for (const { attempt: of, fact } of factsOf(factory, "wrapper-reported"))
    if (of === attempt && fact.type === "attempt-started") return fact.identity;
  return undefined;
}

async function expectEndedWell({ factory, machines }: RealFleet): Promise<void> {
  await playThrough(factory);
  await endDaemon(factory);
  await expectWhole(factory);
  for (const machine of machines) {
    await eventually(`the end of all on ${machine.name}`, () => machine.processes().length === 0);
    expect(machine.tmuxServers()).toEqual([]);
  }
}

/** A half-written file is in the hub, as the attempt left it. */
function expectHalfSalvaged(factory: RealFactory, id: string): void {
  expect(factory.git(factory.hub, "show", `${salvageRef(firstOf(id))}:${fileOf(id)}`)).toBe(`the line of half ${id}`);
}

describe("a machine that goes away", { timeout: 180_000 }, () => {
  it.concurrent("and boots anew has lost its attempts: what they wrote is kept, and they are made again", async () => {
    await inFleet(fourTasks(), { nodes: 2, slots: 2, reboots: true }, async (fleet) => {
      const { factory } = fleet;
      const { away, kept, machine } = await untilAtWork(fleet);
      await machine.powerOff();
      await machine.start();
      await factory.until("the loss of its attempts", () =>
        away.every((id) =>
          factory.followed.task(id)?.state.kind === "merged" ? true : factory.followed.world().attempts.has(`${project}--${id}--2`),
        ),
      );
      expectNothingLost(factory);
      for (const id of away) expectHalfSalvaged(factory, id);
      expect(kept.flatMap((id) => factory.held(id)).every(isRunning)).toBe(true);
      for (const id of ids) factory.release(id);
      await expectEndedWell(fleet);
      const boots = away.map((id) => identityOf(factory, firstOf(id))?.bootId);
      const later = [...factory.followed.world().attempts.values()].filter(({ n, node }) => n === 2 && node === machine.name);
      for (const { id } of later) expect(boots).not.toContain(identityOf(factory, id)?.bootId);
      for (const id of kept) expect(factory.agentRuns().filter(({ attempt }) => attempt.includes(id))).toHaveLength(1);
    });
  });

  it.concurrent("behind a frozen link for too long is lost: its tasks land from elsewhere, and what it says later is refused", async () => {
    await inFleet(fourTasks(), { nodes: 2, slots: 2, entry: { lost_after_minutes: 0.02 } }, async (fleet) => {
      const { factory } = fleet;
      const { away, kept, machine } = await untilAtWork(fleet);
      const [finishing = "", staying = ""] = away;
      machine.link?.freeze();
      // One agent comes to its end over there; the other one is still at work when the machine is back.
      factory.release(finishing);
      for (const id of kept) factory.release(id);
      await factory.until("the fences", () => factsOf(factory, "attempt-fenced").length === 2, 90_000);
      await untilMerged(factory);
      expect(factory.held(staying).every(isRunning)).toBe(true);
      machine.link?.mend();
      await factory.until("the return", () => factsOf(factory, "attempt-retired").length === 2, 60_000);
      expect(factory.held(staying).some(isRunning)).toBe(false);
      await expectEndedWell(fleet);
      expect(factsOf(factory, "node-lost").map(({ node }) => node)).toEqual([machine.name]);
      expect(factsOf(factory, "node-returned").map(({ node }) => node)).toEqual([machine.name]);
      expectHalfSalvaged(factory, staying);
      const late = `${project}--${finishing}--1`;
      expect(factory.git(factory.hub, "show", `${resultOf(factory, late)}:${fileOf(finishing)}`)).toContain(`the line of ${finishing}`);
      for (const id of away) {
        expect(factsOf(factory, "wrapper-reported").some(({ attempt, fact }) => attempt === firstOf(id) && fact.type === "attempt-ended")).toBe(
          false,
        );
      }
    });
  });

  it.concurrent("is retired once, though the controller is killed before and after that", async () => {
    await inFleet(fourTasks(), { nodes: 2, slots: 2, entry: { lost_after_minutes: 0.01 } }, async (fleet) => {
      const { factory } = fleet;
      const { away, machine } = await untilAtWork(fleet);
      machine.link?.part();
      await factory.until("the fences", () => factsOf(factory, "attempt-fenced").length === 2);
      for (const id of ids) if (!away.includes(id)) factory.release(id);
      await untilMerged(factory);
      factory.daemon().kill("SIGKILL");
      await factory.daemon().ended;
      machine.link?.mend();
      for (const crashAt of ["retire-attempt:before#1", "retire-attempt:after#1", "retire-attempt:after#2"]) {
        await factory.up(crashAt);
        expect(await factory.daemon().ended, crashAt).toEqual({ code: null, signal: "SIGKILL" });
        expectNothingLost(factory);
      }
      expect(await factory.up(), factory.daemon().output()).toBeDefined();
      await expectEndedWell(fleet);
      for (const id of away) expectHalfSalvaged(factory, id);
      expect(factsOf(factory, "attempt-retired")).toHaveLength(2);
    });
  });
});

/** The tip of what an attempt left. */
function resultOf(factory: RealFactory, attempt: string): string {
  const state = factory.followed.world().attempts.get(attempt)?.state;
  if (state?.kind !== "discarded") throw new Error(`${attempt} is not over`);
  const held = state.salvage ?? state.tip;
  if (held === null) throw new Error(`${attempt} left nothing`);
  return held;
}
