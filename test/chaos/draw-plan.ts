import { createDice, type Dice } from "../simulation/random.ts";

/** What can break, and what brings it back; what has no counterpart comes back by itself. */
export const breakages = {
  "cut-link": null,
  "part-link": "mend-link",
  "freeze-link": "mend-link",
  "hang-sshd": "wake-sshd",
  "kill-sshd": "start-sshd",
  "kill-host": null,
  "kill-tmux": null,
  "power-off": "power-on",
  "change-host-key": "restore-host-key",
  "accept-host-key": null,
  "fill-disk": "free-disk",
  "kill-controller": "start-controller",
} as const;

export type Breakage = keyof typeof breakages;
export type Repair = NonNullable<(typeof breakages)[Breakage]>;

/** One thing that is done at a moment, in ms from the first agent at work. `node` is null where it concerns the controller. */
export interface Happening {
  at: number;
  do: Breakage | Repair;
  node: number | null;
}

export interface PlanOptions {
  nodes: number;
  /** The node whose disk is small enough to be filled. */
  smallDisk: number;
  /** Everything has been brought back by then. */
  spanMs: number;
  /** Breakages; each kind comes about equally often, and each at least once when there are as many as kinds. */
  count: number;
  /** How long something stays broken. */
  leastMs: number;
  mostMs: number;
}

/** What two breakages must not disturb at once, so that each is brought back from what it did itself. */
const partOf: Readonly<Record<Breakage, string>> = {
  "cut-link": "link",
  "part-link": "link",
  "freeze-link": "link",
  "hang-sshd": "sshd",
  "kill-sshd": "sshd",
  "kill-host": "host",
  "kill-tmux": "tmux",
  "power-off": "sshd",
  "change-host-key": "sshd",
  "accept-host-key": "sshd",
  "fill-disk": "disk",
  "kill-controller": "controller",
};

const placings = 200;

/** What happens when. The same seed and options give the same plan. */
export function drawPlan(seed: number, options: PlanOptions): Happening[] {
  const plan: Happening[] = [];
  const busy: { part: string; from: number; to: number }[] = [];
  const kinds = Object.keys(breakages) as Breakage[];
  let deck: Breakage[] = [];
  for (let n = 0; n < options.count; n++) {
    const dice = createDice(seed, `chaos:${n}`);
    if (deck.length === 0) deck = [...kinds];
    const [kind = "cut-link"] = deck.splice(dice.between(0, deck.length - 1), 1);
    place(plan, busy, kind, dice, options);
  }
  return plan.sort((a, b) => a.at - b.at);
}

function place(plan: Happening[], busy: { part: string; from: number; to: number }[], kind: Breakage, dice: Dice, options: PlanOptions): void {
  const repair = breakages[kind];
  for (let n = 0; n < placings; n++) {
    const node = kind === "kill-controller" ? null : kind === "fill-disk" ? options.smallDisk : dice.between(0, options.nodes - 1);
    const from = dice.between(0, options.spanMs - options.mostMs);
    const to = from + (repair === null ? 0 : dice.between(options.leastMs, options.mostMs));
    const part = `${partOf[kind]} of ${node ?? "all"}`;
    if (busy.some((other) => other.part === part && from <= other.to && other.from <= to)) continue;
    busy.push({ part, from, to });
    plan.push({ at: from, do: kind, node });
    if (repair !== null) plan.push({ at: to, do: repair, node });
    return;
  }
}

export function tellPlan(plan: readonly Happening[]): string {
  return plan
    .map((one) => `  ${(one.at / 1000).toFixed(1).padStart(6)} s  ${one.do}${one.node === null ? "" : ` of node-${one.node + 1}`}`)
    .join("\n");
}
