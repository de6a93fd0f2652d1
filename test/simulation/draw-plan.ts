import { laterSpecFields, type Priority, type Resources, type TaskSpec } from "@dispatch/core";
import { crashPoints } from "@dispatch/engine";
import { contractPath, entries } from "./paths.ts";
import { type Happening, nodeCalls, type Plan, type PlannedNode, type PlannedProject, type PlannedTask, type Rates } from "./plan.ts";
import { createDice, type Dice } from "./random.ts";

const minute = 60_000;

/** The world of a seed. */
export function drawPlan(seed: number): Plan {
  const dice = createDice(seed, "plan");
  const projects = drawProjects(dice);
  // What happens to machines is luck of its own, so that the rest of the world does not depend on it.
  const fleetDice = createDice(seed, "fleet");
  const nodes = drawNodes(dice, fleetDice);
  const tasks = drawTasks(dice, projects, nodes);
  // Slow worlds live long enough for tasks to age and to reserve what they wait for.
  const slow = dice.chance(0.15);
  const calmAt = (slow ? dice.between(60, 180) : dice.between(4, 15)) * minute;
  const wild = dice.weighted({ quiet: 2, usual: 5, wild: 3 });
  return {
    seed,
    projects,
    nodes,
    tasks,
    happenings: [
      ...drawHappenings(dice, { projects, nodes, tasks, calmAt, count: { quiet: 4, usual: 12, wild: 28 }[wild] }),
      ...drawFleetHappenings(fleetDice, { nodes, calmAt, count: { quiet: 3, usual: 8, wild: 14 }[wild] }),
    ].sort((a, b) => a.at - b.at),
    rates: drawRates(dice, { quiet: 0, usual: 1, wild: 3 }[wild]),
    agents: {
      good: 30,
      red: 3,
      outside: 2,
      marker: 2,
      empty: 2,
      brittle: 3,
      exhausted: 4,
      unusable: 1,
      hangs: 2,
      stuck: dice.chance(0.5) ? 2 : 0,
      crashes: dice.between(0, 6),
    },
    paceMs: slow ? 10 * minute : 20_000,
    calmAt,
  };
}

function drawProjects(dice: Dice): PlannedProject[] {
  const count = dice.weighted({ one: 5, two: 3, three: 2 });
  return ["shop", "blog", "desk"].slice(0, { one: 1, two: 2, three: 3 }[count]).map((id) => ({
    id,
    landing: dice.chance(0.7) ? "continuous" : "on-collect",
    contracts: dice.chance(0.4) ? [contractPath] : [],
    shared: [],
    generated: [],
    barrier: [],
    share: dice.between(1, 3),
    executor: "plain",
  }));
}

function drawNodes(dice: Dice, fleetDice: Dice): PlannedNode[] {
  const count = dice.between(1, 6);
  return Array.from({ length: count }, (_, i) => ({
    id: `n${i + 1}`,
    slots: dice.between(1, 4),
    gateSlots: fleetDice.between(0, 2),
    lowPriority: i > 0 && dice.chance(0.25),
    labels: ["fast", "linux", "big"].filter(() => dice.chance(0.5)),
    executors: dice.chance(0.75) ? null : ["plain", ...(dice.chance(0.5) ? ["special"] : [])],
    capacity: { cpus: dice.pick([2, 4, 8]), memoryMb: dice.pick([4096, 16_384]), gpus: dice.pick([0, 0, 0, 1, 2]) },
    forgetful: dice.chance(0.3),
    talkative: dice.chance(0.4),
    lostAfterMs: fleetDice.chance(0.2) ? null : fleetDice.pick([1500, 5000, 15_000, minute]),
  }));
}

function drawTasks(dice: Dice, projects: readonly PlannedProject[], nodes: readonly PlannedNode[]): PlannedTask[] {
  const total = dice.between(5, 25);
  // Few entries: everything waits for everything. Many: locks hardly bind.
  const width = dice.between(4, entries.length);
  const tight = dice.float() * 0.5;
  const tasks: PlannedTask[] = [];
  for (let i = 0; i < total; i++) {
    const project = dice.pick(projects);
    const before = tasks.filter((task) => task.spec.project === project.id).map((task) => task.spec.id);
    const id = `S${String(i + 1).padStart(2, "0")}`;
    const spec = drawSpec(dice, { id, project, before, tight, width, node: dice.pick(nodes) });
    tasks.push({ id: `${project.id}/${id}`, spec, fedAt: dice.chance(0.8) ? 0 : dice.between(1, 4 * minute) });
  }
  return tasks;
}

interface SpecWish {
  id: string;
  project: PlannedProject;
  before: readonly string[];
  tight: number;
  width: number;
  /** A node it fits on, so that no task waits for a machine that does not exist. */
  node: PlannedNode;
}

function drawSpec(dice: Dice, { id, project, before, tight, width, node }: SpecWish): TaskSpec {
  const some = (most: number) => [...new Set(Array.from({ length: dice.between(1, most) }, () => dice.pick(entries.slice(0, width))))];
  const link = () =>
    before.length > 0 && dice.chance(tight) ? [...new Set([dice.pick(before), ...(dice.chance(0.3) ? [dice.pick(before)] : [])])] : [];
  const contract = dice.chance(0.06);
  const special = (node.executors === null || node.executors.includes("special")) && dice.chance(0.1);
  return {
    ...laterSpecFields,
    id,
    project: project.id,
    title: id,
    type: contract ? "contract" : dice.pick(["feature", "bugfix", "test"]),
    priority: dice.between(0, 3) as Priority,
    dependsOn: link(),
    after: dice.chance(0.3) ? link() : [],
    modifies: contract ? [contractPath] : some(2),
    creates: dice.chance(0.15) ? some(1) : [],
    deletes: [],
    forbids: [],
    reads: dice.chance(0.25) ? some(2) : [],
    verify: [],
    executor: special ? "special" : "auto",
    estimateMinutes: dice.between(1, 60),
    timeoutMinutes: 5,
    attempts: dice.between(1, 4),
    allowEmpty: false,
    commit: `feat: ${id}`,
    goal: id,
    labels: [],
    resources: dice.chance(0.4) ? drawResources(dice, node.capacity) : laterSpecFields.resources,
    nodes: dice.chance(0.08) ? [node.id] : [],
    nodeLabels: node.labels.filter(() => dice.chance(0.1)),
    direction: dice.chance(0.5) ? dice.pick(["D1", "D2"]) : null,
  };
}

function drawResources(dice: Dice, capacity: Resources): Resources {
  return {
    cpus: dice.between(0, capacity.cpus),
    memoryMb: dice.chance(0.3) ? 0 : dice.between(1, capacity.memoryMb),
    gpus: capacity.gpus > 0 && dice.chance(0.5) ? dice.between(1, capacity.gpus) : 0,
  };
}

function drawRates(dice: Dice, factor: number): Rates {
  const share = (most: number) => dice.float() * most * factor;
  return {
    refused: share(0.04),
    unanswered: share(0.03),
    lost: share(0.01),
    hopeless: share(0.01),
    dropped: share(0.02),
    doubled: share(0.05),
    reordered: share(0.05),
  };
}

interface Ground extends Pick<Plan, "projects" | "nodes" | "tasks" | "calmAt"> {
  count: number;
}

function drawHappenings(dice: Dice, ground: Ground): Happening[] {
  const happenings = Array.from({ length: dice.between(Math.floor(ground.count / 2), ground.count) }, () => drawHappening(dice, ground));
  const collects = ground.projects.flatMap(({ id }) => Array.from({ length: dice.between(0, 3) }, () => ({ do: "collect" as const, project: id })));
  return [...happenings, ...collects.map((act) => ({ at: dice.between(0, ground.calmAt), ...act }))];
}

/** What becomes of machines and what the lead does about them; most of it about as long as their deadlines. */
function drawFleetHappenings(dice: Dice, { nodes, calmAt, count }: Pick<Ground, "nodes" | "calmAt" | "count">): Happening[] {
  return Array.from({ length: dice.between(Math.floor(count / 2), count) }, () => drawFleetHappening(dice, nodes, calmAt)).flat();
}

function drawFleetHappening(dice: Dice, nodes: readonly PlannedNode[], calmAt: number): Happening[] {
  const at = dice.between(0, calmAt);
  const { id: node, lostAfterMs } = dice.pick(nodes);
  const forMs = dice.between(1, 3 * (lostAfterMs ?? minute));
  const kind = dice.weighted({ "goes-away": 6, "given-up": 3, "node-leaves": 2, cordon: 4, uncordon: 2 });
  switch (kind) {
    case "goes-away":
      return [{ at, do: kind, node, forMs, sessions: dice.chance(0.3) ? "lost" : "kept" }];
    case "given-up": {
      const abandon: Happening = { at: at + dice.between(1, forMs), do: "abandon", node };
      if (dice.chance(0.5)) return [{ at, do: "node-dies", node, forMs, files: "lost" }, abandon];
      return [{ at, do: "goes-away", node, forMs, sessions: "kept" }, abandon];
    }
    case "node-leaves":
      return [leavingOf(dice, node, calmAt)];
    case "cordon":
      return [{ at, do: kind, node, drain: dice.chance(0.5) }];
    case "uncordon":
      return [{ at, do: kind, node }];
  }
}

/** After a restart in between it is unknown, and lost after ten minutes, where a world lives that long. */
function leavingOf(dice: Dice, node: string, calmAt: number): Happening {
  const room = calmAt - 11 * minute;
  const restart = dice.chance(0.7);
  if (room <= 0 || dice.chance(0.2)) return { at: dice.between(0, calmAt), do: "node-leaves", node, forMs: dice.between(1, 2 * minute), restart };
  return { at: dice.between(minute / 10, room), do: "node-leaves", node, forMs: 30 * minute, restart };
}

const kinds = {
  "link-falls": 5,
  "node-dies": 4,
  "dies-after": 4,
  "node-forgets": 1,
  "disk-fills": 2,
  "hub-disk-fills": 1,
  "ledger-fills": 1,
  crash: 5,
  restart: 2,
  "crash-at": 6,
  "origin-gets": 4,
  "main-moves": 1,
  "tests-break": 5,
  revise: 3,
  retry: 3,
  "retry-edited": 3,
  cancel: 4,
  pause: 2,
  resume: 3,
  "stop-all": 1,
} as const;

function drawHappening(dice: Dice, { projects, nodes, tasks, calmAt }: Ground): Happening {
  const at = dice.between(0, calmAt);
  const node = dice.pick(nodes).id;
  const project = dice.pick(projects).id;
  const task = dice.pick(tasks).id;
  const forMs = dice.chance(0.5) ? dice.between(1, 3000) : dice.between(1, 3 * minute);
  const path = dice.pick(["src/a.ts", "lib/a.ts", "docs/a.md", "README.md"]);
  const kind = dice.weighted(kinds);
  switch (kind) {
    case "link-falls":
    case "node-forgets":
    case "disk-fills":
      return { at, do: kind, node, forMs };
    case "node-dies":
      return { at, do: kind, node, forMs, files: dice.chance(0.5) ? "kept" : "lost" };
    case "dies-after": {
      const [what, files] = [dice.pick(nodeCalls), dice.chance(0.7) ? "lost" : "kept"] as const;
      return { at, do: kind, node, what, nth: dice.between(1, 3), lagMs: dice.between(0, 3000), forMs, files };
    }
    case "hub-disk-fills":
    case "ledger-fills":
    case "crash":
    case "restart":
      return { at, do: kind, forMs: Math.min(forMs, 30_000) };
    case "crash-at":
      return { at, do: kind, point: dice.pick(crashPoints), nth: dice.between(1, 6), forMs: Math.min(forMs, 30_000) };
    case "origin-gets":
      return { at, do: kind, project, path, red: dice.chance(0.15) };
    case "main-moves":
      return { at, do: kind, project, path };
    case "tests-break":
      return { at, do: kind, project, forMs };
    case "revise":
    case "retry-edited":
      return {
        at,
        do: kind,
        task,
        change: { priority: dice.between(0, 3) as Priority, modifies: [dice.pick(entries)], attempts: dice.between(1, 4) },
      };
    case "retry":
    case "cancel":
      return { at, do: kind, task };
    case "pause":
    case "resume":
      return { at, do: kind, project };
    case "stop-all":
      return { at, do: kind };
  }
}
