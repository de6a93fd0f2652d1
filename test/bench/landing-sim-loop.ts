import { createRandom, type Source } from "./landing-sim-yard.ts";

export const loopSpecs = 300;
/** More attempts than any spec needs. */
export const loopAttempts = 16;
const agents = 32;
const domains = 120;
const farthestDependency = 30;

interface Spec {
  needs: readonly number[];
  domain: number;
}

/**
 * Agents that each take the first spec whose dependencies landed and whose domain nobody holds, work, hand a branch in and
 * take the next; a refused one is worked on again. Branch `spec + attempt x specs` of the trace is that attempt.
 */
export function closedSource(work: number, seed: number): Source {
  const random = createRandom(seed + 77);
  const specs = Array.from({ length: loopSpecs }, (_, at): Spec => {
    const earlier = (): number[] => (at > 0 && random() < 0.5 ? [at - 1 - Math.floor(random() * Math.min(at, farthestDependency))] : []);
    return { needs: [...earlier(), ...earlier()], domain: Math.floor(random() * domains) };
  });
  const lengths = Array.from({ length: loopSpecs * loopAttempts }, () => work * (0.5 + random()));
  const todo = new Map(specs.map((spec, at) => [at, { spec, branch: at }]));
  const landed = new Set<number>();
  const held = new Set<number>();
  let working: { branch: number; ends: number }[] = [];
  const place = (now: number): void => {
    for (const [at, { spec, branch }] of todo) {
      if (working.length === agents) return;
      if (held.has(spec.domain) || spec.needs.some((need) => !landed.has(need))) continue;
      todo.delete(at);
      held.add(spec.domain);
      working = [...working, { branch, ends: now + (lengths[branch] ?? work) }].sort((a, b) => a.ends - b.ends);
    }
  };
  place(0);
  return {
    next: () => working[0]?.ends ?? Number.POSITIVE_INFINITY,
    take() {
      const [first, ...others] = working;
      if (first === undefined) throw new Error("nobody works");
      working = others;
      place(first.ends);
      return first.branch;
    },
    left(branch, how, now) {
      const at = branch % loopSpecs;
      const spec = specs[at];
      if (spec === undefined) throw new Error(`branch ${branch} is of no spec`);
      held.delete(spec.domain);
      if (how === "landed") landed.add(at);
      else todo.set(at, { spec, branch: branch + loopSpecs });
      place(now);
    },
    isOver: () => landed.size === loopSpecs,
  };
}
