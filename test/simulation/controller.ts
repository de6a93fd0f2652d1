import { type Clock, defaultGatePolicy, FactoryError, isFactoryError, type NodeId, type TaskSpec } from "@dispatch/core";
import { createEngine, type EnginePorts, type Settings } from "@dispatch/engine";
import type { Life } from "./life.ts";
import type { Acts } from "./machine.ts";
import { executorName } from "./plan.ts";
import { addLink, connectSoon, createPool, disconnect, dropEmptyLinks } from "./pool.ts";
import { createRepositories } from "./repositories.ts";
import type { Sim } from "./sim.ts";

/** Thrown at a crash point; whatever catches it belongs to a dead process. */
class Killed extends Error {}

/** Longer than any call may take. */
const closeLimitMs = 10 * 60_000;

/** The controller over all its lives. */
export interface Controller {
  /** The life that is running; undefined while none is. */
  life(): Life | undefined;
  lives(): number;
  boot(): void;
  /** Takes everything in memory away at once; boots again after a while. */
  crash(because: string, forMs: number): void;
  /** Ends the process in order, when everything that is under way has ended; boots again after a while. */
  restart(forMs: number): void;
  /** Kills the process when it comes to a point for the nth time from now. */
  arm(point: string, nth: number, forMs: number): void;
  disarm(): void;
  /** Puts a node into the configuration or takes it out, of which a running daemon hears at once. */
  configure(node: NodeId, configured: boolean): void;
  /** A node says that it is there; and those that were taken out are let go of when they are empty. */
  heartbeat(): void;
}

export function createController(sim: Sim, acts: Acts): Controller {
  let life: Life | undefined;
  let lives = 0;
  let armed: { point: string; left: number; forMs: number }[] = [];

  function crash(because: string, forMs: number): void {
    if (life === undefined) return;
    const dead = life;
    life = undefined;
    dead.alive = false;
    sim.timeline.forgetTurnEnds();
    for (const timer of dead.timers) timer.cancelled = true;
    for (const link of dead.links.values()) disconnect(sim, link, "the controller died");
    sim.note(`the controller is dead: ${because}`);
    sim.timeline.after(forMs, "the controller is started", boot);
  }

  function at(point: string): void {
    for (const one of armed) {
      if (one.point !== point) continue;
      one.left -= 1;
      if (one.left > 0) continue;
      armed = armed.filter((other) => other !== one);
      crash(`killed at ${point}`, one.forMs);
      throw new Killed(point);
    }
  }

  function boot(): void {
    if (life !== undefined) return;
    lives += 1;
    const born: Life = {
      n: lives,
      alive: true,
      started: false,
      startedAt: 0,
      closing: false,
      engine: undefined,
      links: new Map(),
      timers: new Set(),
      lanes: new Map(),
      onReport: () => {},
      onChange: () => {},
    };
    life = born;
    const ports: EnginePorts = {
      ledger: sim.ledger.open(born),
      nodes: createPool(sim, acts, born),
      repositories: createRepositories(sim, born),
      settings: createSettings(sim),
      clock: clockOf(sim, born),
      log: { debug() {}, info() {}, warn() {}, error() {} },
      at: (point) => {
        if (born.alive) at(point);
      },
    };
    const engine = createEngine(ports, (error) => {
      if (!born.alive) return;
      if (!(isFactoryError(error) && error.code === "DISK_FULL"))
        sim.violate("engine stopped", `the engine stopped: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      crash("it stopped because the ledger could not be written", 5000);
    });
    born.engine = engine;
    for (const link of born.links.values()) connectSoon(sim, acts, link);
    sim.timeline.after(sim.dice(`start of life ${lives}`).between(1, 1500), `the engine starts, life ${lives}`, () => {
      if (!born.alive || born.closing) return;
      born.started = true;
      born.startedAt = sim.timeline.now();
      engine.start().catch((error: unknown) => {
        if (born.alive) sim.violate("engine stopped", `the engine did not start: ${String(error)}`);
      });
    });
  }

  function restart(forMs: number): void {
    const ending = life;
    if (ending?.engine === undefined || ending.closing) return;
    ending.closing = true;
    const late = sim.timeline.after(closeLimitMs, "the daemon should have ended by now", () => {
      if (ending.alive) sim.violate("command failed", "the engine was closed and did not end");
    });
    ending.engine.close().then(
      () => {
        late.cancelled = true;
        if (ending.alive) crash("it was ended in order", forMs);
      },
      (error: unknown) => sim.violate("command failed", `the engine could not be closed: ${String(error)}`),
    );
  }

  return {
    restart,
    life: () => life,
    lives: () => lives,
    boot,
    crash,
    arm: (point, nth, forMs) => void armed.push({ point, left: nth, forMs }),
    disarm() {
      armed = [];
    },
    configure(node, configured) {
      const machine = sim.machines.get(node);
      if (machine === undefined || machine.configured === configured) return;
      machine.configured = configured;
      if (life === undefined) return;
      const known = life.links.get(node);
      if (known !== undefined) known.leaving = !configured;
      else if (configured) connectSoon(sim, acts, addLink(sim, life, machine));
      life.onChange();
    },
    heartbeat() {
      if (life?.started === true) dropEmptyLinks(sim, life);
      life?.onChange();
    },
  };
}

function clockOf(sim: Sim, life: Life): Clock {
  return {
    now: () => sim.timeline.now(),
    after(ms, callback) {
      if (!life.alive) return () => {};
      const timer = sim.timeline.after(ms, "a timer of the engine fires", () => {
        life.timers.delete(timer);
        callback();
      });
      life.timers.add(timer);
      return () => {
        timer.cancelled = true;
        life.timers.delete(timer);
      };
    },
  };
}

function createSettings({ plan }: Sim): Settings {
  const scheduling = new Map(plan.projects.map(({ id, ...policy }) => [id, policy]));
  return {
    sourceOf: (project) => ({ id: project, repo: "/origin", branch: "main" }),
    scheduling: () => scheduling,
    executorOf: (spec: TaskSpec) => ({ name: executorName(spec), command: ["agent"], prompt: "file", timeoutSeconds: 200, env: {} }),
    policyAt(project) {
      if (!plan.projects.some((one) => one.id === project)) return Promise.reject(new FactoryError("NOT_FOUND", project));
      return Promise.resolve({
        verify: [{ run: "run tests", cwd: ".", timeoutSeconds: 60, env: {} }],
        maxRounds: 3,
        gates: defaultGatePolicy,
      });
    },
  };
}
