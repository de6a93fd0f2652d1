/** Which spec comes before which, by `depends_on` and `after` over any number of steps. */
export interface SpecOrder {
  /** A place in an order that fits all edges; undefined for what is in a cycle or waits for one. */
  rankOf(key: string): number | undefined;
  /** Whether `first` has ended before `second` starts. False for what has no rank. */
  isBefore(first: string, second: string): boolean;
}

/** Above this many specs the table of all pairs would take more than 32 MB. */
const maxTable = 16_384;

/** `edges`: for every key the keys it waits for, all of which are keys too. */
export function orderSpecs(edges: ReadonlyMap<string, readonly string[]>): SpecOrder {
  const ranks = rankKeys(edges);
  const parents: number[][] = Array.from({ length: ranks.size }, () => []);
  for (const [key, rank] of ranks) {
    parents[rank] = (edges.get(key) ?? []).flatMap((parent) => ranks.get(parent) ?? []);
  }
  const isAbove = ranks.size <= maxTable ? tableOf(parents) : searchIn(parents);
  return {
    rankOf: (key) => ranks.get(key),
    isBefore: (first, second) => {
      const [above, below] = [ranks.get(first), ranks.get(second)];
      return above !== undefined && below !== undefined && above < below && isAbove(above, below);
    },
  };
}

/** Takes away, again and again, what waits for nobody that is left; equal ones keep the order they were given in. */
function rankKeys(edges: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const waiting = new Map<string, number>();
  const children = new Map<string, string[]>();
  for (const [key, targets] of edges) {
    waiting.set(key, targets.length);
    for (const target of targets) {
      const known = children.get(target);
      if (known === undefined) children.set(target, [key]);
      else known.push(key);
    }
  }
  const ready = [...edges.keys()].filter((key) => waiting.get(key) === 0);
  const ranks = new Map<string, number>();
  for (const key of ready) {
    ranks.set(key, ranks.size);
    for (const child of children.get(key) ?? []) {
      const left = (waiting.get(child) ?? 0) - 1;
      waiting.set(child, left);
      if (left === 0) ready.push(child);
    }
  }
  return ranks;
}

/** One row of bits for each rank: all ranks above it. */
function tableOf(parents: readonly (readonly number[])[]): (above: number, below: number) => boolean {
  const width = Math.ceil(parents.length / 32);
  const rows: Uint32Array[] = [];
  for (const [rank, above] of parents.entries()) {
    const row = new Uint32Array(width);
    for (const parent of above) {
      const inherited = rows[parent];
      const last = parent >>> 5;
      if (inherited !== undefined) for (let word = 0; word <= last; word++) row[word] = (row[word] ?? 0) | (inherited[word] ?? 0);
      row[last] = (row[last] ?? 0) | (1 << (parent & 31));
    }
    rows[rank] = row;
  }
  return (above, below) => (((rows[below]?.[above >>> 5] ?? 0) >>> (above & 31)) & 1) === 1;
}

/** Searches upwards and remembers what the last one asked about has above it. */
function searchIn(parents: readonly (readonly number[])[]): (above: number, below: number) => boolean {
  let asked = -1;
  let found = new Set<number>();
  return (above, below) => {
    if (below !== asked) {
      asked = below;
      found = new Set();
      const open = [below];
      for (let rank = open.pop(); rank !== undefined; rank = open.pop())
        for (const parent of parents[rank] ?? []) {
          if (found.has(parent)) continue;
          found.add(parent);
          open.push(parent);
        }
    }
    return found.has(above);
  };
}
