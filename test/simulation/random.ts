/**
 * Chance from a seed: splitmix32, the 32-bit member of the generators of Steele, Lea and Flood
 * ("Fast splittable pseudorandom number generators", OOPSLA 2014) with Murmur3's finalizer, started from FNV-1a of a name.
 *
 * Every draw belongs to a name (`agent:shop--S01--2`) and not to one long stream, so that taking a task
 * or a fault out of a world leaves the luck of all the others as it was: that is what makes shrinking work.
 */
export interface Dice {
  /** 0 to 1, without 1. */
  float(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  chance(share: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** One of the names, as often as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T;
}

export function createDice(seed: number, name: string): Dice {
  let state = mixBits(hashText(name) ^ mixBits(seed));
  const dice: Dice = {
    float() {
      state = (state + 0x9e3779b9) | 0;
      return mixBits(state) / 4294967296;
    },
    between: (low, high) => low + Math.floor(dice.float() * (high - low + 1)),
    chance: (share) => dice.float() < share,
    pick(list) {
      const item = list[Math.floor(dice.float() * list.length)];
      if (item === undefined) throw new Error(`nothing to pick for ${name}`);
      return item;
    },
    weighted(weights) {
      const entries = Object.entries<number>(weights) as [keyof typeof weights, number][];
      let left = dice.float() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [kind, weight] of entries) {
        left -= weight;
        if (left < 0) return kind;
      }
      throw new Error(`no weight for ${name}`);
    },
  };
  return dice;
}

/** A bijection of 32 bits (Murmur3's finalizer): different numbers stay different. */
export function mixBits(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
