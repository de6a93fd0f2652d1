import type { NodeId } from "@dispatch/core";
import type { Controller } from "./controller.ts";
import type { Link } from "./life.ts";
import type { Machine } from "./machine.ts";
import type { Fault } from "./plan.ts";
import { disconnect } from "./pool.ts";
import { commitOutside } from "./repositories.ts";
import type { Sim } from "./sim.ts";

/** What goes wrong in the world, and how long. */
export interface Faults {
  begin(fault: Fault): void;
  /** Whether a node that has just done this is about to die; then it does. */
  diesAfter(node: NodeId, what: string): boolean;
  /** Ends all that is still wrong. */
  endAll(): void;
}

export function createFaults(sim: Sim, controller: Controller): Faults {
  const ending = new Set<() => void>();
  type Ambush = Extract<Fault, { do: "dies-after" }> & { left: number };
  let ambushes: Ambush[] = [];

  function machineOf(node: NodeId): Machine {
    const machine = sim.machines.get(node);
    if (machine === undefined) throw new Error(`no node ${node}`);
    return machine;
  }

  /** Ends by itself after a while, or with everything else; once. */
  function until(forMs: number, what: string, end: () => void): void {
    const once = (): void => {
      if (ending.delete(once)) end();
    };
    ending.add(once);
    sim.timeline.after(forMs, what, once);
  }

  function linkOf(node: NodeId): Link | undefined {
    return controller.life()?.links.get(node);
  }

  function drop(node: NodeId, because: string): void {
    const link = linkOf(node);
    if (link !== undefined) disconnect(sim, link, because);
  }

  function block(node: NodeId, forMs: number): void {
    machineOf(node).blocked += 1;
    until(forMs, `the link to ${node} can be had again`, () => {
      machineOf(node).blocked -= 1;
    });
  }

  function die(machine: Machine, forMs: number, files: "kept" | "lost"): void {
    if (!machine.alive) return;
    const { id } = machine.plan;
    drop(id, "the node died");
    machine.alive = false;
    machine.boots += 1;
    for (const session of machine.sessions.values()) session.alive = false;
    if (files === "lost") {
      machine.sessions = new Map();
      machine.repositories = new Map();
      machine.refs = new Map();
    }
    until(forMs, `${id} is back, its files ${files}`, () => {
      machine.alive = true;
    });
  }

  function forget(machine: Machine, forMs: number): void {
    if (!machine.alive) return;
    const { id } = machine.plan;
    drop(id, "its files are not there");
    const hidden = { sessions: machine.sessions, repositories: machine.repositories, refs: machine.refs, boots: machine.boots };
    for (const session of hidden.sessions.values()) {
      session.ghost ||= session.alive;
      session.hidden = true;
    }
    machine.sessions = new Map();
    machine.repositories = new Map();
    machine.refs = new Map();
    until(forMs, `${id} has its files again`, () => {
      drop(id, "its files are there again");
      if (machine.boots !== hidden.boots) for (const session of hidden.sessions.values()) session.alive = false;
      for (const [name, session] of hidden.sessions) {
        if (machine.sessions.has(name)) session.alive = false;
        else machine.sessions.set(name, session);
      }
      for (const [project, commits] of hidden.repositories) {
        const now = machine.repositories.get(project) ?? new Set();
        for (const commit of commits) now.add(commit);
        machine.repositories.set(project, now);
      }
      for (const [ref, commit] of hidden.refs) if (!machine.refs.has(ref)) machine.refs.set(ref, commit);
    });
  }

  function begin(fault: Fault): void {
    switch (fault.do) {
      case "link-falls":
        block(fault.node, fault.forMs);
        drop(fault.node, "the link fell");
        return;
      case "node-dies":
        die(machineOf(fault.node), fault.forMs, fault.files);
        return;
      case "dies-after":
        ambushes.push({ ...fault, left: fault.nth });
        return;
      case "node-forgets":
        forget(machineOf(fault.node), fault.forMs);
        return;
      case "goes-away": {
        block(fault.node, fault.forMs);
        drop(fault.node, "nothing gets through");
        const machine = machineOf(fault.node);
        if (fault.sessions === "lost") for (const session of machine.sessions.values()) session.alive = false;
        return;
      }
      case "node-leaves":
        controller.configure(fault.node, false);
        until(fault.forMs, `${fault.node} is configured again`, () => controller.configure(fault.node, true));
        if (fault.restart) controller.restart(1000);
        return;
      case "disk-fills": {
        const machine = machineOf(fault.node);
        machine.full = true;
        until(fault.forMs, `there is room on ${fault.node} again`, () => {
          machine.full = false;
          machine.lookSoon();
        });
        return;
      }
      case "hub-disk-fills":
        sim.truth.diskFull = true;
        until(fault.forMs, "there is room for the hubs again", () => {
          sim.truth.diskFull = false;
        });
        return;
      case "ledger-fills":
        sim.ledger.full = true;
        until(fault.forMs, "there is room for the ledger again", () => {
          sim.ledger.full = false;
        });
        return;
      case "crash":
        controller.crash("killed", fault.forMs);
        return;
      case "restart":
        controller.restart(fault.forMs);
        return;
      case "crash-at":
        controller.arm(fault.point, fault.nth, fault.forMs);
        return;
      case "origin-gets":
        commitOutside(sim, fault.project, "origin", fault.path, fault.red);
        return;
      case "main-moves":
        commitOutside(sim, fault.project, "main", fault.path, false);
        return;
      case "tests-break": {
        const hub = sim.truth.hub(fault.project);
        hub.testsBroken = true;
        until(fault.forMs, `the tests of ${fault.project} work again`, () => {
          hub.testsBroken = false;
        });
        return;
      }
    }
  }

  return {
    begin,
    diesAfter(node, what) {
      const ambush = ambushes.find((one) => one.node === node && one.what === what);
      if (ambush === undefined) return false;
      ambush.left -= 1;
      if (ambush.left > 0) return false;
      ambushes = ambushes.filter((one) => one !== ambush);
      const machine = machineOf(node);
      const { boots } = machine;
      sim.timeline.after(ambush.lagMs, `${node} dies`, () => {
        // A node that cannot answer is dead, also when everything else has become calm.
        if (machine.boots === boots) die(machine, sim.calm() ? 1 : ambush.forMs, ambush.files);
      });
      return true;
    },
    endAll() {
      ambushes = [];
      controller.disarm();
      for (const end of [...ending]) end();
    },
  };
}
