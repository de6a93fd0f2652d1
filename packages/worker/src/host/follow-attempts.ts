import { type FSWatcher, statSync } from "node:fs";
import type { AttemptId, SessionIdentity } from "@dispatch/core";
import type { AttemptFiles } from "../attempt-files.ts";
import { isDiskFull } from "../disk-room.ts";
import { readEvents } from "../event-log.ts";
import { isAlive } from "../process/session-identity.ts";
import { closeDeadAttempt } from "./close-dead-attempt.ts";
import { complain, filesOf, type Host, readIdentity, standingOf } from "./host.ts";
import { watchSafely } from "./wait-until.ts";

interface Followed {
  attempt: AttemptId;
  files: AttemptFiles;
  /** Last event that was sent. */
  cursor: number;
  /** Where the complete lines read so far end. */
  offset: number;
  watcher: FSWatcher | undefined;
  identity: SessionIdentity | undefined;
  ended: boolean;
  closing: boolean;
}

/** Sends what wrappers write, as they write it, each event once and in order; ends the records of wrappers that died. */
export interface Follower {
  /** Begins behind `cursor`, unless the attempt is followed already. */
  follow(attempt: AttemptId, cursor: number): void;
  /** Begins behind `cursor` in any case. */
  restart(attempt: AttemptId, cursor: number): void;
  /** Sends what is there now. */
  pump(attempt: AttemptId): void;
  /** Attempts that have not ended. */
  open(): number;
  /** The slow look: finds dead wrappers and what a lost wake-up left unsent. */
  look(): Promise<void>;
  close(): void;
}

export function createFollower(host: Host): Follower {
  const all = new Map<AttemptId, Followed>();

  function pump(followed: Followed): void {
    // The watcher first: what is written between the two is then seen twice and not never.
    if (!followed.ended) followed.watcher ??= watchEvents(followed);
    const { facts, next } = readEvents(followed.files.events, followed.offset);
    followed.offset = next;
    for (const { seq, at, fact } of facts) {
      if (seq > followed.cursor) {
        host.notify({ notify: "report", attempt: followed.attempt, seq, at, fact });
        followed.cursor = seq;
      }
      if (fact.type === "attempt-ended") followed.ended = true;
    }
    if (followed.ended) unwatch(followed);
  }

  function watchEvents(followed: Followed): FSWatcher | undefined {
    return watchSafely(followed.files.events, () => {
      try {
        if (!followed.ended) pump(followed);
      } catch (error) {
        complain(error);
      }
    });
  }

  async function lookAt(followed: Followed): Promise<void> {
    if (followed.closing) return;
    followed.closing = true;
    try {
      const { files } = followed;
      followed.identity ??= readIdentity(files);
      if (followed.identity !== undefined && !isAlive(followed.identity, host.bootId)) {
        const standing = standingOf(host, files);
        if (standing.kind === "gone") await closeDeadAttempt(host, files, standing.identity, followed.cursor);
        pump(followed);
      } else if (statSync(files.events, { throwIfNoEntry: false })?.size !== followed.offset) {
        pump(followed);
      }
    } catch (error) {
      // Tried again with the next look; a full disk is nothing to complain about every second.
      if (!isDiskFull(error)) complain(error);
    } finally {
      followed.closing = false;
    }
  }

  function restart(attempt: AttemptId, cursor: number): void {
    const known = all.get(attempt);
    if (known !== undefined) unwatch(known);
    const files = filesOf(host, attempt);
    const followed: Followed = { attempt, files, cursor, offset: 0, watcher: undefined, identity: undefined, ended: false, closing: false };
    all.set(attempt, followed);
    pump(followed);
  }

  return {
    follow(attempt, cursor) {
      if (!all.has(attempt)) restart(attempt, cursor);
    },
    restart,
    pump(attempt) {
      const followed = all.get(attempt);
      if (followed !== undefined) pump(followed);
    },
    open: () => [...all.values()].filter((followed) => !followed.ended).length,
    async look() {
      for (const followed of all.values()) if (!followed.ended) await lookAt(followed);
    },
    close() {
      for (const followed of all.values()) unwatch(followed);
      all.clear();
    },
  };
}

function unwatch(followed: Followed): void {
  followed.watcher?.close();
  followed.watcher = undefined;
}
