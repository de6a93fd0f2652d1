import { FactoryError, type NodeId } from "@dispatch/core";
import type { Life, Link } from "./life.ts";
import type { Dice } from "./random.ts";
import type { Sim } from "./sim.ts";

/** Does what was asked for, now or later, and says so once. */
type Perform<T> = (reply: (result: T) => void, fail: (error: Error) => void) => void;

export interface CallName {
  what: string;
  /** Whom it is about; with `what` the name of the call's luck. */
  about: string;
  /** Of what has a lane only one is under way at once. */
  lane?: string;
}

const patienceMs = 60_000;

export function unreachable(node: NodeId, because: string): FactoryError {
  return new FactoryError("NODE_UNREACHABLE", `node ${node} cannot be reached: ${because}`, { fault: "dependency", retry: "later" });
}

/** A call over a link: it may fail before or after it took effect, never arrive, or be cut off with the link. */
export function callNode<T>(sim: Sim, link: Link, { what, about, lane }: CallName, perform: Perform<T>): Promise<T> {
  const { life, machine } = link;
  const node = machine.plan.id;
  const name = `${what} ${about}`;
  if (!life.alive) return new Promise(() => {});
  if (!link.up) return Promise.reject(unreachable(node, link.because));
  const dice = sim.dice(`call ${name} ${sim.count(name)}`);
  const fate = drawFate(sim, dice);
  const { epoch } = link;
  const boot = machine.boots;
  const arrivesLate = dice.chance(0.3);
  const leave = enter(sim, life, lane, name);
  return new Promise((resolve, reject) => {
    const call = settleOnce(life, resolve, reject, () => {
      link.waiting.delete(call);
      leave();
    });
    link.waiting.add(call);
    if (fate === "lost") {
      sim.timeline.after(patienceMs, `${name} on ${node} was never answered`, () => call.fail(unreachable(node, "no answer")));
      return;
    }
    sim.timeline.after(latency(dice), `${name} arrives at ${node}`, () => {
      const cut = link.epoch !== epoch || !life.alive;
      if (machine.boots !== boot || !machine.alive || (cut && !arrivesLate)) return sim.note("cut off on its way");
      if (fate === "refused") return call.fail(new FactoryError("NODE_FAILED", `${name} failed`, { fault: "dependency", retry: "later" }));
      const dies = sim.diesAfter(node, what);
      const answer = (then: () => void): void => void sim.timeline.after(latency(dice), `${name} on ${node} is answered`, then);
      perform(
        (result) => {
          if (dies) return sim.note("and it will not live to answer");
          if (fate !== "unanswered") return answer(() => call.succeed(result));
          sim.note("and its answer is lost");
          sim.timeline.after(dice.between(1, patienceMs), `${name} on ${node} was done and never answered`, () =>
            call.fail(unreachable(node, "no answer")),
          );
        },
        (error) => answer(() => call.fail(error)),
      );
    });
  });
}

/** A call of something on the controller's own machine, such as git: it may fail before or after it took effect, or outlive its caller. */
export function callHere<T>(sim: Sim, life: Life, { what, about, lane }: CallName, perform: () => T): Promise<T> {
  if (!life.alive) return new Promise(() => {});
  const name = `${what} ${about}`;
  const dice = sim.dice(`call ${name} ${sim.count(name)}`);
  const fate = drawFate(sim, dice);
  const outlives = dice.chance(0.5);
  const leave = enter(sim, life, lane, name);
  return new Promise((resolve, reject) => {
    const call = settleOnce(life, resolve, reject, leave);
    sim.timeline.after(latency(dice), `${name} is done`, () => {
      if (!life.alive && !outlives) return sim.note("not at all: its process died");
      if (fate === "refused" || fate === "lost") return call.fail(new FactoryError("GIT_FAILED", `${name} failed`, { retry: "later" }));
      let result: T;
      try {
        result = perform();
      } catch (error) {
        return call.fail(error as Error);
      }
      if (fate === "unanswered") {
        sim.note("and its result is lost");
        return call.fail(new FactoryError("GIT_FAILED", `${name} was killed`, { retry: "later" }));
      }
      call.succeed(result);
    });
  });
}

/** Says how a lane is left again. */
function enter(sim: Sim, life: Life, lane: string | undefined, name: string): () => void {
  if (lane === undefined) return () => {};
  const other = life.lanes.get(lane);
  if (other !== undefined) sim.violate("side by side", `${name} was asked for while ${other} is under way`);
  life.lanes.set(lane, name);
  return () => {
    if (life.lanes.get(lane) === name) life.lanes.delete(lane);
  };
}

function settleOnce<T>(life: Life, resolve: (result: T) => void, reject: (error: Error) => void, forget: () => void) {
  let settled = false;
  const settle = (how: () => void): void => {
    if (settled) return;
    settled = true;
    forget();
    if (life.alive) how();
  };
  return { succeed: (result: T) => settle(() => resolve(result)), fail: (error: Error) => settle(() => reject(error)) };
}

function drawFate(sim: Sim, dice: Dice): "fine" | "refused" | "unanswered" | "lost" {
  const luck = dice.float();
  if (sim.calm()) return "fine";
  const { refused, unanswered, lost } = sim.plan.rates;
  if (luck < refused) return "refused";
  if (luck < refused + unanswered) return "unanswered";
  return luck < refused + unanswered + lost ? "lost" : "fine";
}

function latency(dice: Dice): number {
  return dice.chance(0.9) ? dice.between(0, 20) : dice.between(20, 4000);
}
