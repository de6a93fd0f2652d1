import type { Policy, Run } from "./landing-sim-yard.ts";

/** How often a branch has to be red alone before it is refused: twice where runs are flaky. */
type Peer = (redsToRefuse: number) => Policy;

const mostInBatch = 32;

/** The size of batches that follows the share of refused branches, so that batching peers are at their best. */
function createSizer() {
  let good = 0;
  let bad = 0;
  return {
    landed(count: number): void {
      good += count;
    },
    refused(): void {
      bad++;
    },
    size: () => Math.min(mostInBatch, Math.max(1, Math.round((Math.LN2 * (20 + good + bad)) / (1 + bad)))),
  };
}

/** Merge, test, merge: one branch at a time. */
export const sequential: Peer = (redsToRefuse) => (yard) => {
  const waiting: number[] = [];
  let reds = 0;
  let busy = false;
  const go = (): void => {
    const [branch] = waiting;
    if (busy || branch === undefined) return;
    busy = true;
    yard.start([branch], (red) => {
      busy = false;
      if (red && ++reds < redsToRefuse) return;
      reds = 0;
      waiting.shift();
      if (red) yard.refuse(branch);
      else yard.land([branch]);
    });
  };
  return { arrive: (branch) => void waiting.push(branch), go };
};

/** Batch and bisect, one run at a time: a red batch is halved, and its halves come first. */
export const bors: Peer = (redsToRefuse) => (yard) => {
  const waiting: number[] = [];
  const halves: number[][] = [];
  const sizer = createSizer();
  let reds = 0;
  let busy = false;
  const go = (): void => {
    if (busy) return;
    const batch = halves.shift() ?? waiting.splice(0, sizer.size());
    const [first] = batch;
    if (first === undefined) return;
    busy = true;
    yard.start(batch, (red) => {
      busy = false;
      if (!red) {
        reds = 0;
        yard.land(batch);
        sizer.landed(batch.length);
      } else if (batch.length > 1) {
        const middle = batch.length >> 1;
        halves.unshift(batch.slice(0, middle), batch.slice(middle));
      } else if (++reds < redsToRefuse) halves.unshift(batch);
      else {
        reds = 0;
        yard.refuse(first);
        sizer.refused();
      }
    });
  };
  return { arrive: (branch) => void waiting.push(branch), go };
};

interface Change {
  branch: number;
  run: Run | undefined;
  verdict: "green" | "red" | undefined;
  reds: number;
}

/** Every change is tested on all those ahead of it; a red one is taken out of the line at once, and those behind start again. */
export const zuul: Peer = (redsToRefuse) => (yard, slots) => {
  const line: Change[] = [];
  const reset = (change: Change): void => {
    if (change.run !== undefined) yard.cancel(change.run);
    change.run = undefined;
    change.verdict = undefined;
  };
  const leaveHeads = (): void => {
    for (let head = line[0]; head?.verdict !== undefined; head = line[0]) {
      if (head.verdict === "red" && ++head.reds < redsToRefuse) {
        reset(head);
        return;
      }
      line.shift();
      if (head.verdict === "green") yard.land([head.branch]);
      else yard.refuse(head.branch);
      // Who was red on top of one that did not land may be good.
      if (head.verdict === "red") for (const behind of line) if (behind.verdict === "red") reset(behind);
    }
  };
  const judged = (change: Change, red: boolean): void => {
    change.run = undefined;
    change.verdict = red ? "red" : "green";
    if (red) for (const behind of line.slice(line.indexOf(change) + 1)) reset(behind);
    leaveHeads();
  };
  const go = (): void => {
    for (const [at, change] of line.slice(0, slots).entries()) {
      if (yard.free() === 0) return;
      if (change.run !== undefined || change.verdict !== undefined) continue;
      const ahead = line.slice(0, at).filter(({ verdict }) => verdict !== "red");
      change.run = yard.start([...ahead.map(({ branch }) => branch), change.branch], (red) => judged(change, red));
    }
  };
  return { arrive: (branch) => void line.push({ branch, run: undefined, verdict: undefined, reds: 0 }), go };
};

interface Batch {
  members: readonly number[];
  run: Run | undefined;
  red: boolean;
  /** Red alone so often. */
  reds: number;
  /** What is left of a red batch when all before it landed. */
  last: boolean;
}

/** Batches stacked on one another as many as there are slots; a red first one is split into parts that are stacked again. */
export const prefix: Peer = (redsToRefuse) => (yard, slots) => {
  const waiting: number[] = [];
  let line: Batch[] = [];
  const sizer = createSizer();
  const batchOf = (members: readonly number[], last = false): Batch => ({ members, run: undefined, red: false, reds: 0, last });
  const cancel = (batches: readonly Batch[]): void => {
    for (const batch of batches) {
      if (batch.run !== undefined) yard.cancel(batch.run);
      batch.run = undefined;
      batch.red = false;
    }
  };
  const split = (batch: Batch): void => {
    const parts = Math.min(batch.members.length, slots + 1);
    const size = Math.ceil(batch.members.length / parts);
    const made: Batch[] = [];
    for (let at = 0; at < batch.members.length; at += size) made.push(batchOf(batch.members.slice(at, at + size), at + size >= batch.members.length));
    cancel(line);
    // What stood behind is batched anew, in its old order.
    waiting.unshift(...line.slice(1).flatMap(({ members }) => members));
    line = made;
  };
  const judgeFirst = (): void => {
    const [first] = line;
    if (first === undefined || !first.red) return;
    if (first.members.length > 1) {
      split(first);
      return;
    }
    cancel(line.slice(1));
    first.red = false;
    if (++first.reds < redsToRefuse) return;
    line.shift();
    for (const branch of first.members) yard.refuse(branch);
    sizer.refused();
    for (const batch of line) batch.last = false;
  };
  const judged = (batch: Batch, red: boolean): void => {
    batch.run = undefined;
    batch.red = red;
    if (!red) {
      const at = line.indexOf(batch);
      const landed = line.slice(0, at + 1);
      cancel(landed);
      line = line.slice(at + 1);
      yard.land(landed.flatMap(({ members }) => members));
      sizer.landed(landed.flatMap(({ members }) => members).length);
      const [next] = line;
      if (next?.last && next.members.length > 1 && next.run === undefined && !next.red) split(next);
    }
    judgeFirst();
  };
  const go = (): void => {
    while (line.length < slots && waiting.length > 0) line.push(batchOf(waiting.splice(0, sizer.size())));
    for (const [at, batch] of line.entries()) {
      if (yard.free() === 0 || line.slice(0, at).some(({ red }) => red)) return;
      if (batch.run !== undefined || batch.red) continue;
      const held = line.slice(0, at + 1).flatMap(({ members }) => members);
      batch.run = yard.start(held, (red) => judged(batch, red));
    }
  };
  return { arrive: (branch) => void waiting.push(branch), go };
};
