import { type Collision, findCollisions, type PathChange } from "../compare-deltas.ts";

/** Two changes whose paths meet, by their places in the list; `later` stands behind `earlier`. */
export interface Meeting {
  earlier: number;
  later: number;
  /** As the later one would find them, once the earlier one has landed. */
  collisions: readonly Collision[];
}

/** The pairs of changes that touch a common path, or where one has a file and the other a folder of that name. Pure. */
export function pairBranches(deltas: readonly (readonly PathChange[])[]): Meeting[] {
  const touching = new Map<string, number[]>();
  const below = new Map<string, number[]>();
  const meetings: Meeting[] = [];
  for (const [later, delta] of deltas.entries()) {
    const met = new Set<number>();
    for (const { path } of delta) {
      for (const name of [path, ...foldersAbove(path)]) for (const earlier of touching.get(name) ?? []) met.add(earlier);
      for (const earlier of below.get(path) ?? []) met.add(earlier);
    }
    for (const earlier of [...met].sort((a, b) => a - b)) {
      const collisions = findCollisions(delta, deltas[earlier] ?? []);
      if (collisions.length > 0) meetings.push({ earlier, later, collisions });
    }
    for (const { path } of delta) {
      note(touching, path, later);
      for (const folder of foldersAbove(path)) note(below, folder, later);
    }
  }
  return meetings;
}

function note(index: Map<string, number[]>, name: string, place: number): void {
  const known = index.get(name);
  if (known === undefined) index.set(name, [place]);
  else if (known.at(-1) !== place) known.push(place);
}

function foldersAbove(path: string): string[] {
  return path
    .split("/")
    .slice(0, -1)
    .map((_, i, parts) => parts.slice(0, i + 1).join("/"));
}
