import type { FactorySpec } from "../kit/real-factory.ts";
import { createDice } from "../simulation/random.ts";

export interface TaskOptions {
  count: number;
  /** Each task of a later wave needs the work of one of the wave before, and tests it: so there is work as long as things break. */
  waves: number;
  /** How long an agent works. */
  leastSeconds: number;
  mostSeconds: number;
}

/** Tasks of chance length; some of them change one shared file, some commit by themselves. */
export function drawTasks(seed: number, { count, waves, leastSeconds, mostSeconds }: TaskOptions): FactorySpec[] {
  const size = Math.ceil(count / waves);
  return Array.from({ length: count }, (_, index): FactorySpec => {
    const dice = createDice(seed, `task:${index}`);
    const id = idOf(index);
    const own = `work/${id}.txt`;
    const test = `tests/${id}.sh`;
    const wave = Math.floor(index / size);
    const before = wave === 0 ? undefined : idOf(dice.between((wave - 1) * size, wave * size - 1));
    const shares = dice.chance(0.2);
    const steps: object[] = [
      { append: own, content: `the first line of ${id}\n` },
      ...(dice.chance(0.3) ? [{ commit: `half of ${id}` }] : []),
      { run: `sleep ${(leastSeconds + dice.float() * (mostSeconds - leastSeconds)).toFixed(2)}` },
      { append: own, content: `the last line of ${id}\n` },
      ...(shares ? [{ append: "shared.txt", content: `the line of ${id}\n` }] : []),
      ...(before === undefined ? [] : [{ append: test, content: `${ends(before)} && ${ends(id)}\n` }]),
    ];
    return {
      id,
      dependsOn: before === undefined ? [] : [before],
      modifies: shares ? ["shared.txt"] : [],
      creates: before === undefined ? [own] : [own, test],
      attempts: [steps],
    };
  });
}

function idOf(index: number): string {
  return `S${String(index + 1).padStart(2, "0")}-task`;
}

/** A command that is true when a task's file is whole. */
function ends(id: string): string {
  return `grep -q 'last line of ${id}' work/${id}.txt`;
}
