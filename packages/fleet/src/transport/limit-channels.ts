import type { Lane } from "./transport.ts";

/**
 * Lets few channels be open at once. sshd counts a channel for a while after it was closed, so that with a channel for each
 * command its stock limit of 10 refuses from the sixth in flight on; with four none was ever refused.
 */
export interface ChannelGate {
  /** Waits for room; the returned function gives it back. */
  enter(lane: Lane): Promise<() => void>;
}

const shortChannels = 4;

export function createChannelGate(): ChannelGate {
  let room = shortChannels;
  const waiting: (() => void)[] = [];
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) room++;
    else next();
  };
  return {
    async enter(lane) {
      if (lane === "host") return () => {};
      if (room > 0) room--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let left = false;
      return () => {
        if (left) return;
        left = true;
        leave();
      };
    },
  };
}

const tries = 8;

/** Opens a channel, again after a pause when the server had no room for it. `refused` is what that looks like. */
export async function openPatiently<T>(open: () => Promise<T>, refused: (error: unknown) => boolean): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await open();
    } catch (error) {
      if (n >= tries || !refused(error)) throw error;
      const pauseMs = Math.min(2000, 25 * 2 ** n) * (0.5 + Math.random() / 2);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
