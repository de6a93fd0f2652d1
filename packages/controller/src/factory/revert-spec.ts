import { isGlob, type Oid, revertExecutor, splitTaskId, type Task } from "@dispatch/core";
import type { LandedMerge } from "@dispatch/git";
import { revertLabel } from "../config/revert-executor.ts";

/** What a revert takes back, and on which main. */
export interface RevertInput {
  id: string;
  project: string;
  landing: Oid;
  /** Newest first. */
  merges: readonly LandedMerge[];
  /** Paths that the merges changed and main has now; the others are created again. */
  there: ReadonlySet<string>;
}

const mostNamed = 8;

/** The next free id of a revert: `R03-revert-s01-checkout`, with `and-2-more` where it takes several specs back. */
export function revertId(specIds: readonly string[], taken: Iterable<Pick<Task, "id">>): string {
  let newest = 0;
  for (const { id } of taken) {
    const number = /^R(\d+)(?:-|$)/.exec(splitTaskId(id).specId)?.[1];
    if (number !== undefined) newest = Math.max(newest, Number(number));
  }
  const more = specIds.length > 1 ? `-and-${specIds.length - 1}-more` : "";
  const name = (specIds.at(-1) ?? "").toLowerCase().slice(0, 40).replace(/-$/, "");
  return `R${String(newest + 1).padStart(2, "0")}-revert-${name}${more}`;
}

/** The spec of a revert. It is judged and landed as any other is. */
export function revertSpec({ id, project, landing, merges, there }: RevertInput): string {
  const names = merges.map(({ specId }) => specId);
  const paths = [...new Set(merges.flatMap((merge) => merge.paths))].sort();
  const what = names.join(", ");
  return `---
task_id: ${id}
project: ${project}
title: ${JSON.stringify(`Revert ${what}`)}
type: chore
priority: 0
depends_on: []
modifies: ${listOf(paths.filter((path) => there.has(path)))}
creates: ${listOf(paths.filter((path) => !there.has(path)))}
executor: ${revertExecutor}
attempts: 1
estimate_min: 3
commit: ${JSON.stringify(`chore: revert ${what}`)}
labels: ${JSON.stringify(merges.map(({ commit }) => revertLabel(commit)))}
waivers:${["G02", "G05", "G06", "G09", "G14"].map((gate) => `\n  - {gate: ${gate}, paths: ["**"], because: "the reverse of what landed; what it brings back stood on main before"}`).join("")}
---

## Goal

Take back what landed as ${landing.slice(0, 12)} for ${what}: ${namedPaths(paths)} become as they were before, and all that landed since stays.

## Acceptance

- [ ] the tests of the project pass without it (verify)

## Do not

- no change but the reverse of ${merges.map(({ commit }) => commit.slice(0, 12)).join(", ")}
`;
}

function namedPaths(paths: readonly string[]): string {
  const named = paths.slice(0, mostNamed).map((path) => `\`${path}\``);
  const more = paths.length - named.length;
  return `${named.join(", ")}${more > 0 ? ` and ${more} more paths` : ""}`;
}

function listOf(paths: readonly string[]): string {
  return JSON.stringify(paths.map(asPattern));
}

/** A path as a pattern that covers it alone. */
function asPattern(path: string): string {
  return isGlob(path) ? path.replace(/[*?[]/g, "[$&]") : path;
}
