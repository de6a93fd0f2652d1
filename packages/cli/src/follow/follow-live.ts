import { setTimeout as delay } from "node:timers/promises";
import { errorCode } from "@dispatch/core";
import type { StatusView } from "@dispatch/protocol";
import { projectOf } from "../find-project.ts";
import { openLiveScreen } from "../live-screen.ts";
import { followFrame } from "../render/follow-frame.ts";
import { settledOf } from "../render/settled.ts";
import { watchEvents } from "../watch-events.ts";
import type { FollowEnd, FollowParts } from "./follow-parts.ts";

const tickMs = 1000;
/** No more frames than an eye can follow, however fast events come. */
const leastMs = 100;

/** One frame that is drawn over at every event, and every second for what is measured in time. */
export async function followLive(parts: FollowParts, stdout: NodeJS.WriteStream): Promise<FollowEnd> {
  const { terminal, client, project } = parts;
  const watching = new AbortController();
  const signal = AbortSignal.any([parts.signal, watching.signal]);
  let status: StatusView = await client.status(project);
  const state = watchForChanges(parts, status.lastSeq, signal);
  const screen = openLiveScreen(stdout);
  try {
    for (;;) {
      const row = projectOf(status, project);
      const settled = settledOf(status, row);
      const note =
        settled.kind !== "going" ? "" : state.reached ? "Ctrl-C stops following; tasks go on" : "the daemon does not answer; waiting for it";
      screen.draw(followFrame(status, row, note, terminal.view(), terminal.rows() - 1));
      if (settled.kind !== "going") return { settled, project: row };
      await state.changeOrTick(tickMs);
      if (parts.signal.aborted) return undefined;
      if (state.error !== undefined) throw state.error;
      status = (await statusIfReached(parts)) ?? status;
    }
  } finally {
    screen.close();
    watching.abort();
    await state.ended;
  }
}

interface Changes {
  reached: boolean;
  error: unknown;
  ended: Promise<void>;
  /** Returns after an event (but not sooner than `leastMs`), after `ms`, or when interrupted. */
  changeOrTick(ms: number): Promise<void>;
}

function watchForChanges(parts: FollowParts, after: number, signal: AbortSignal): Changes {
  let wake: () => void = () => {};
  let changed = false;
  const changes: Changes = {
    reached: true,
    error: undefined,
    ended: Promise.resolve(),
    async changeOrTick(ms) {
      await pause(leastMs, signal);
      if (!changed && !signal.aborted) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([woken, pause(ms - leastMs, signal)]);
      }
      changed = false;
    },
  };
  const onChange = () => {
    changed = true;
    wake();
  };
  const onReach = (reached: boolean) => {
    changes.reached = reached;
    onChange();
  };
  const watch = async () => {
    for await (const _ of watchEvents(parts.client, after, { signal, onReach })) onChange();
  };
  changes.ended = watch().catch((error: unknown) => {
    changes.error = error;
    onChange();
  });
  return changes;
}

async function statusIfReached(parts: FollowParts): Promise<StatusView | undefined> {
  try {
    return await parts.client.status(parts.project);
  } catch (error) {
    if (errorCode(error) === "DAEMON_UNREACHABLE") return undefined;
    throw error;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error: Error) => {
    if (error.name !== "AbortError") throw error;
  });
}
