import { beforeEach, expect, test } from "vitest";
import { createFakeClock, type FakeClock } from "../../../test/kit/fake-clock.ts";
import { type SilenceWatch, watchSilence } from "./watch-silence.ts";

let clock: FakeClock;
let watch: SilenceWatch;
let silences: number[];

beforeEach(() => {
  clock = createFakeClock(0);
  silences = [];
  watch = watchSilence(clock, () => void silences.push(clock.now()));
});

test("silence is told half a minute after the last word, once", () => {
  clock.advance(29_000);
  watch.heard();
  clock.advance(29_999);
  expect(silences).toEqual([]);
  clock.advance(60_000);
  expect(silences).toEqual([59_000]);
});

test("one that speaks is never told", () => {
  for (let n = 0; n < 100; n++) {
    clock.advance(25_000);
    watch.heard();
  }
  expect(silences).toEqual([]);
});

test("nothing is told after the end", () => {
  watch.stop();
  clock.advance(90_000);
  expect(silences).toEqual([]);
});

test("a process that stood still first reads what was said meanwhile", () => {
  const { sleepy, wake } = sleepyClock();
  const told: number[] = [];
  const watching = watchSilence(sleepy, () => void told.push(clock.now()));
  clock.advance(300_000);
  wake();
  expect(told).toEqual([]);
  watching.heard();
  clock.advance(29_999);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual([330_000]);
});

test("a process that stood still and hears nothing afterwards tells soon", () => {
  const { sleepy, wake } = sleepyClock();
  const told: number[] = [];
  watchSilence(sleepy, () => void told.push(clock.now()));
  clock.advance(300_000);
  wake();
  clock.advance(10_000);
  expect(told).toEqual([310_000]);
});

/** A clock whose first callback comes when it is woken, however late that is. */
function sleepyClock(): { sleepy: FakeClock; wake(): void } {
  let first: (() => void) | undefined;
  let slept = false;
  const sleepy: FakeClock = {
    ...clock,
    after(ms, callback) {
      if (slept) return clock.after(ms, callback);
      slept = true;
      first = callback;
      return () => {};
    },
  };
  return { sleepy, wake: () => first?.() };
}
