import { errorCode } from "@dispatch/core";
import type { StatusView } from "@dispatch/protocol";
import { projectOf } from "../find-project.ts";
import { openLiveScreen } from "../live-screen.ts";
import { followFrame } from "../render/follow-frame.ts";
import { settledOf } from "../render/settled.ts";
import type { FollowEnd, FollowParts } from "./follow-parts.ts";
import { watchForChanges } from "./watch-changes.ts";

const tickMs = 1000;

/** One frame that is drawn over at every event, and every second for what is measured in time. */
export async function followLive(parts: FollowParts, stdout: NodeJS.WriteStream): Promise<FollowEnd> {
  const { terminal, client, project } = parts;
  const watching = new AbortController();
  const signal = AbortSignal.any([parts.signal, watching.signal]);
  let status: StatusView = await client.status(project);
  const state = watchForChanges(parts.client, status.lastSeq, signal);
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

async function statusIfReached(parts: FollowParts): Promise<StatusView | undefined> {
  try {
    return await parts.client.status(parts.project);
  } catch (error) {
    if (errorCode(error) === "DAEMON_UNREACHABLE") return undefined;
    throw error;
  }
}
