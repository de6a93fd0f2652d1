import { isGlob, patternsOverlap } from "@dispatch/core";
import { fixedPart } from "./index-files.ts";

interface Branch {
  below: Map<string, Branch>;
  /** Patterns whose part before the first wildcard ends here. */
  patterns: Set<string>;
}

/** Patterns by their folders, so that those which overlap a pattern are found without comparing it with all of them. */
export interface PathTree {
  add(pattern: string): void;
  /** All added patterns that share a possible path with this one, itself included. */
  overlapping(pattern: string): string[];
}

export function createPathTree(): PathTree {
  const root = branch();
  return {
    add(pattern) {
      let at = root;
      for (const segment of segmentsOf(pattern)) {
        const next = at.below.get(segment) ?? branch();
        at.below.set(segment, next);
        at = next;
      }
      at.patterns.add(pattern);
    },
    overlapping(pattern) {
      const found: string[] = [];
      let at: Branch | undefined = root;
      for (const segment of segmentsOf(pattern)) {
        for (const above of at.patterns) if (patternsOverlap(above, pattern)) found.push(above);
        at = at.below.get(segment);
        if (at === undefined) return found;
      }
      const open = [at];
      for (let each = open.pop(); each !== undefined; each = open.pop()) {
        for (const inside of each.patterns) if (patternsOverlap(inside, pattern)) found.push(inside);
        open.push(...each.below.values());
      }
      return found;
    },
  };
}

function branch(): Branch {
  return { below: new Map(), patterns: new Set() };
}

/** The folders of a pattern that are sure; a pattern without wildcards is one as a whole. */
function segmentsOf(pattern: string): string[] {
  const bare = pattern.replace(/\/$/, "");
  const sure = isGlob(bare) ? fixedPart(bare) : bare;
  return sure === "" ? [] : sure.split("/");
}
