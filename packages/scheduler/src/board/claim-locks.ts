import { firstMeeting } from "../locks/lock-set.ts";
import { isDue, ranksBefore } from "../rank.ts";
import type { BoardState, ProjectBoard } from "./board-state.ts";
import { fitsNow } from "./node-rooms.ts";
import { reopen } from "./wait-for-locks.ts";
import type { Bucket, Entry, Group } from "./waiting-line.ts";

/** So many tasks that cannot start are looked at for claims, in order. */
export const claimants = 8;
/** Who waits for more holders than this cannot tell how long: everyone may go before it, until it has waited long enough and nobody may. */
export const foreseeable = 16;

/** A task that a holder blocks, and that keeps its locks from those behind it. */
export interface Claim {
  entry: Entry;
  /** Whoever will have ended by then, in ms since the epoch, may still go before it. Worked out when it is first asked for. */
  until: number | undefined;
}

/** The first claim that keeps an entry, which no holder blocks, from starting. */
export function claimAgainst(state: BoardState, project: ProjectBoard, entry: Entry, now: number): Claim | undefined {
  settleClaims(state, project, now);
  for (const claim of project.claims) {
    if (!comesBefore(claim.entry, entry)) return undefined;
    if (firstMeeting(entry.locks, claim.entry.locks) === undefined) continue;
    if (now + entry.scored.estimate * 1000 > untilOf(state, project, claim, now)) return claim;
  }
  return undefined;
}

/** The order inside a project: class, slots of the direction in use, rank. */
export function comesBefore(a: Entry, b: Entry): boolean {
  if (a.urgency !== b.urgency) return a.urgency < b.urgency;
  return goesBefore(a, b);
}

/** The same inside a class. */
export function goesBefore(a: Entry, b: Entry): boolean {
  if (a.direction.used !== b.direction.used) return a.direction.used < b.direction.used;
  return ranksBefore(a, b);
}

/**
 * Claims are made anew in every pass, in order, by the first tasks that are passed over: one that a holder blocks claims
 * unless it meets an earlier claim. Where a queue does not land by itself nobody claims: a lock may be held there until
 * a person asks. Whoever waits behind a claim that is no more may go on.
 */
export function settleClaims(state: BoardState, project: ProjectBoard, now: number): void {
  if (project.claimsSettled) return;
  project.claimsSettled = true;
  project.claims.length = 0;
  project.passedOver = 0;
  project.lastPassedOver = undefined;
  if (project.policy?.landing === "continuous" && project.row?.landing.kind === "open") {
    if (project.waits.size > 0) walkPassedOver(state, project, now);
  }
  for (const group of project.heldBack) if (!isKeptBack(state, project, group, now)) reopen(project, group);
}

/** Takes note that an entry was found blocked or kept back; where it comes after all that count for claims, they stay as they are. */
export function notePassedOver(project: ProjectBoard, entry: Entry): void {
  if (project.passedOver >= claimants && project.lastPassedOver !== undefined && comesBefore(project.lastPassedOver, entry)) return;
  project.claimsSettled = false;
}

/** Whether the claim still stands behind which a group waits. */
function isKeptBack(state: BoardState, project: ProjectBoard, { wait, members }: Group, now: number): boolean {
  const claim = project.claims.find(({ entry }) => entry === wait?.claimer);
  const first = members.items[0];
  if (claim === undefined || first === undefined || !comesBefore(claim.entry, first)) return false;
  return now + first.scored.estimate * 1000 > untilOf(state, project, claim, now);
}

function tryToClaim({ claims }: ProjectBoard, entry: Entry): void {
  if (!claims.some((earlier) => firstMeeting(entry.locks, earlier.entry.locks) !== undefined)) claims.push({ entry, until: undefined });
}

export function untilOf(state: BoardState, project: ProjectBoard, claim: Claim, now: number): number {
  claim.until ??= freeAt(state, project, claim.entry, now);
  return claim.until;
}

/** When the holders that block an entry will have ended, by estimate. */
function freeAt(state: BoardState, project: ProjectBoard, entry: Entry, now: number): number {
  const holders = project.locks.holdersMet(entry.locks, foreseeable + 1);
  if (holders.size > foreseeable) return isDue(entry.readySince, now) ? now : Number.POSITIVE_INFINITY;
  let until = now;
  for (const id of holders) {
    const holder = state.entries.get(id);
    const since = project.locks.heldSince(id);
    if (holder === undefined || since === undefined) continue;
    const { kind } = holder.task.state;
    if (kind === "collecting" || kind === "checking" || kind === "queued" || kind === "landing") continue;
    until = Math.max(until, since + holder.scored.estimate * 1000);
  }
  return until;
}

/** Where the search stands in a heap of groups (then `group` is at `place` in it) or in the members of one group. */
interface Cursor {
  entry: Entry;
  bucket: Bucket;
  group: Group;
  ofGroups: boolean;
  place: number;
}

/** Lets the first tasks claim, in order, that a node could take and that locks or claims keep from starting. Heaps give them without being changed. */
function walkPassedOver(state: BoardState, project: ProjectBoard, now: number): void {
  for (const [urgency, lines] of project.lines.entries()) {
    const frontier: Cursor[] = [];
    for (const group of project.heldBack) {
      if (group.bucket.line.urgency === urgency && fitsNow(state.rooms, group.bucket.signature)) pushMember(frontier, group, 0);
    }
    for (const line of lines.values()) {
      for (const bucket of line.buckets.values()) {
        if (bucket.blocked.items.length > 0 && fitsNow(state.rooms, bucket.signature)) pushGroup(frontier, bucket, 0);
      }
    }
    while (frontier.length > 0) {
      const cursor = takeFirst(frontier);
      const { entry, group } = cursor;
      if (group.heldBack && !isKeptBack(state, project, group, now)) {
        reopen(project, group);
        continue;
      }
      pushNext(frontier, cursor);
      project.passedOver++;
      project.lastPassedOver = entry;
      if (!group.heldBack) tryToClaim(project, entry);
      if (project.passedOver === claimants) return;
    }
  }
}

function takeFirst(frontier: Cursor[]): Cursor {
  let best = 0;
  for (let i = 1; i < frontier.length; i++) if (goesBefore((frontier[i] as Cursor).entry, (frontier[best] as Cursor).entry)) best = i;
  const taken = frontier[best] as Cursor;
  const last = frontier.pop() as Cursor;
  if (last !== taken) frontier[best] = last;
  return taken;
}

function pushNext(frontier: Cursor[], { bucket, group, place, ofGroups }: Cursor): void {
  if (ofGroups) {
    pushGroup(frontier, bucket, 2 * place + 1);
    pushGroup(frontier, bucket, 2 * place + 2);
  }
  const below = ofGroups ? 0 : place;
  pushMember(frontier, group, 2 * below + 1);
  pushMember(frontier, group, 2 * below + 2);
}

function pushGroup(frontier: Cursor[], bucket: Bucket, place: number): void {
  const group = bucket.blocked.items[place];
  const entry = group?.members.items[0];
  if (group !== undefined && entry !== undefined) frontier.push({ entry, bucket, group, ofGroups: true, place });
}

function pushMember(frontier: Cursor[], group: Group, place: number): void {
  const entry = group.members.items[place];
  if (entry !== undefined) frontier.push({ entry, bucket: group.bucket, group, ofGroups: false, place });
}
