import { coversPath, isGlob, lockedPaths, patternsOverlap, reachesInto, type TaskSpec } from "@dispatch/core";
import type { SchedulingPolicy } from "../snapshot.ts";

/** One path or glob that a task locks. */
export interface LockEntry {
  /** As the spec has it, without a closing slash. */
  pattern: string;
  /** Writing keeps everyone else off; reading keeps only writers off. */
  exclusive: boolean;
  glob: boolean;
  /** Whether it is a glob with `**`. */
  spans: boolean;
  segments: readonly string[];
  /** How many leading segments have no wildcard: all of them where it is no glob. */
  anchor: number;
}

/** What a task keeps from others while it is between starting and merged. */
export interface LockSet {
  entries: readonly LockEntry[];
  /** Set for a task that changes the shared contract, and therefore runs alone: the part of the contract it changes. */
  contract: string | null;
}

export type ConflictKind = "write-write" | "write-read" | "read-write" | "contract";

/** The two entries that meet, mine first in the kind too: `write-read`, I write what they read. */
export interface Meeting {
  mine: string;
  theirs: string;
  kind: ConflictKind;
}

/** What of a project's policy decides about locks. */
export type LockPolicy = Pick<SchedulingPolicy, "contracts" | "shared" | "generated">;

/**
 * The locks of a spec under a project's policy: what it changes is exclusive, what it reads is shared. Files that may be changed
 * by several at once are not locked.
 */
export function locksOf(spec: TaskSpec, policy: LockPolicy | undefined): LockSet {
  const entries = new Map<string, LockEntry>();
  const common = policy === undefined ? [] : commonPaths(policy);
  for (const path of lockedPaths(spec)) add(entries, path, true);
  for (const path of spec.reads) add(entries, path, false);
  for (const pattern of entries.keys()) if (isWithin(pattern, common)) entries.delete(pattern);
  return { entries: [...entries.values()], contract: contractOf(spec, policy?.contracts ?? []) };
}

/** Patterns of files that several tasks may change at once: they are merged or made again where branches meet in them. */
export function commonPaths(policy: { shared: readonly string[]; generated: readonly { paths: readonly string[] }[] }): readonly string[] {
  return [...policy.shared, ...policy.generated.flatMap(({ paths }) => paths)];
}

/** Whether all that an entry covers is covered by one of the patterns, as far as can be told. */
function isWithin(entry: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => pattern === entry || (!isGlob(entry) && coversPath(pattern, entry)));
}

function add(entries: Map<string, LockEntry>, path: string, exclusive: boolean): void {
  const pattern = path.endsWith("/") ? path.slice(0, -1) : path;
  if (!entries.has(pattern)) entries.set(pattern, lockEntry(pattern, exclusive));
}

export function lockEntry(pattern: string, exclusive: boolean): LockEntry {
  const segments = pattern.split("/");
  const first = segments.findIndex(isGlob);
  return { pattern, exclusive, glob: first >= 0, spans: segments.includes("**"), segments, anchor: first < 0 ? segments.length : first };
}

/** Which part of the contract a task changes; null for one that only reads it, as all do. */
function contractOf(spec: TaskSpec, contracts: readonly string[]): string | null {
  const locked = lockedPaths(spec);
  const changed = contracts.find((contract) => locked.some((path) => reachesInto(path, contract)));
  if (changed !== undefined) return changed;
  return spec.type === "contract" ? (contracts[0] ?? locked[0] ?? "contract") : null;
}

/** The first two entries, in the order of the specs, that keep two tasks from running together. */
export function firstMeeting(mine: LockSet, theirs: LockSet): Meeting | undefined {
  const contract = mine.contract ?? theirs.contract;
  if (contract !== null) return { mine: contract, theirs: theirs.contract ?? contract, kind: "contract" };
  for (const own of mine.entries) {
    for (const other of theirs.entries) {
      if (!own.exclusive && !other.exclusive) continue;
      if (!entriesMeet(own, other)) continue;
      const kind = own.exclusive ? (other.exclusive ? "write-write" : "write-read") : "read-write";
      return { mine: own.pattern, theirs: other.pattern, kind };
    }
  }
  return undefined;
}

/** Whether one path could be covered by both, whatever the sides: entries that part before their first wildcard never meet. */
export function entriesMeet(a: LockEntry, b: LockEntry): boolean {
  const common = Math.min(a.anchor, b.anchor);
  for (let i = 0; i < common; i++) if (a.segments[i] !== b.segments[i]) return false;
  if (!a.glob && !b.glob) return true;
  if (!a.glob && !b.spans) return coversBeginning(b, a);
  if (!b.glob && !a.spans) return coversBeginning(a, b);
  return patternsOverlap(a.pattern, b.pattern);
}

/** A glob without `**` meets a plain path when its first segments match it: the rest lies below. */
function coversBeginning(glob: LockEntry, plain: LockEntry): boolean {
  if (glob.segments.length < plain.segments.length) return false;
  for (let i = glob.anchor; i < plain.segments.length; i++) if (!coversPath(glob.segments[i] as string, plain.segments[i] as string)) return false;
  return glob.segments.every((segment, i) => i < plain.segments.length || !isGlob(segment) || patternsOverlap(segment, "*"));
}
