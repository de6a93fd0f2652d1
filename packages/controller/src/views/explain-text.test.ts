import type { Task } from "@dispatch/core";
import type { Explanation } from "@dispatch/scheduler";
import { describe, expect, it } from "vitest";
import { aSpec } from "../../../../test/kit/build-facts.ts";
import { explainText } from "./explain-text.ts";

const task: Task = {
  id: "shop/S02",
  project: "shop",
  spec: aSpec("S02"),
  digest: "",
  text: "",
  path: "",
  revision: 1,
  plannedAt: 0,
  state: { kind: "planned", tries: 1, limit: 4, feedback: [] },
};
const reason = {
  code: "rounds-exhausted",
  text: "not accepted after 3 rounds",
  findings: [],
  conflict: null,
  salvage: "refs/dispatch/salvage/a",
} as const;

/** Every kind of explanation, with what its two sentences must name. A new kind does not compile until it stands here. */
const table: { [Kind in Explanation["kind"]]: { given: Extract<Explanation, { kind: Kind }>; names: string[] } } = {
  "project-not-configured": { given: { kind: "project-not-configured" }, names: ["shop", "dispatch project add"] },
  "project-paused": { given: { kind: "project-paused", by: "the lead" }, names: ["the lead", "dispatch resume shop"] },
  backoff: { given: { kind: "backoff", until: 9000, because: "the wrapper is gone" }, names: ["the wrapper is gone", "4 s", "00:00:09Z"] },
  dependency: { given: { kind: "dependency", task: "shop/S01", state: "parked" }, names: ["shop/S01", "parked", "dispatch retry shop/S01"] },
  lock: {
    given: { kind: "lock", holder: "shop/S01", holderState: "running", since: 0, mine: "lib/a.ts", theirs: "lib", meeting: "write-write" },
    names: ["shop/S01", "running", "lib/a.ts", "00:00:00Z", "5 s"],
  },
  "contract-barrier": {
    given: { kind: "contract-barrier", task: "shop/S01", contract: "api.yaml", since: 0 },
    names: ["shop/S01", "api.yaml", "00:00:00Z"],
  },
  reserved: {
    given: { kind: "reserved", by: "shop/S01", since: 0, until: 60_000, mine: "lib/a.ts", theirs: "lib" },
    names: ["shop/S01", "lib/a.ts", "00:00:00Z", "00:01:00Z"],
  },
  "no-node-fits": {
    given: { kind: "no-node-fits", nearest: { node: "a", miss: { kind: "too-small", resource: "gpus", wanted: 2, has: 1 } } },
    names: ["a", "2 GPUs", "1 GPU", "nodes.json"],
  },
  "nodes-down": { given: { kind: "nodes-down", nodes: [{ node: "b", by: "down", because: "no link" }] }, names: ["b", "no link"] },
  "nodes-closed": {
    given: {
      kind: "nodes-closed",
      nodes: [
        { node: "a", by: "cordoned", because: "cordoned by ada" },
        { node: "b", by: "down", because: "no link" },
        { node: "c", by: "lost", because: "out of reach for 10 min" },
        { node: "d", by: "pressure", because: "1.2 GiB of disk are free" },
        { node: "e", by: "leaving", because: "not in nodes.json any more" },
        { node: "f", by: "draining", because: "drained by bob" },
      ],
    },
    names: [
      "a is cordoned by ada",
      "no link",
      "10 min",
      "1.2 GiB",
      "not in nodes.json",
      "f is being drained by bob",
      "dispatch node uncordon a",
      "dispatch node uncordon f",
      "b comes up",
      "d has room",
    ],
  },
  resource: { given: { kind: "resource", node: "a", resource: "memoryMb", wanted: 4096, free: 512 }, names: ["a", "4096 MiB", "512 MiB"] },
  slot: {
    given: { kind: "slot", ahead: 3, slots: 8, nodesShut: [{ node: "b", by: "down", because: "no link" }], first: { task: "shop/S01", by: "share" } },
    names: ["8", "3", "b", "no link", "shop/S01", "share"],
  },
  "about-to-start": { given: { kind: "about-to-start" }, names: ["slot"] },
  "at-work": { given: { kind: "at-work", attempt: "shop--S02--1", node: "local", round: 2 }, names: ["round 2", "shop--S02--1", "local"] },
  "being-collected": { given: { kind: "being-collected", attempt: "shop--S02--1" }, names: ["shop--S02--1", "hub"] },
  "being-checked": { given: { kind: "being-checked", attempt: "shop--S02--1" }, names: ["gates"] },
  "waits-for-collect": { given: { kind: "waits-for-collect" }, names: ["dispatch collect shop"] },
  "waits-for-origin": { given: { kind: "waits-for-origin", collect: "publishing" }, names: ["publishing"] },
  "landing-frozen": { given: { kind: "landing-frozen", because: "main is red" }, names: ["main is red", "dispatch resume shop"] },
  "waits-to-land": { given: { kind: "waits-to-land", behind: ["shop/S01"] }, names: ["shop/S01"] },
  landing: { given: { kind: "landing", phase: "running", with: ["shop/S03", "shop/S04"] }, names: ["tests", "shop/S03, shop/S04", "to blame"] },
  parked: {
    given: { kind: "parked", since: 0, reason },
    names: [reason.text, "00:00:00Z", reason.salvage, "dispatch retry shop/S02", "dispatch cancel shop/S02"],
  },
  "being-cancelled": { given: { kind: "being-cancelled", attempt: "shop--S02--1" }, names: ["shop--S02--1"] },
  merged: { given: { kind: "merged", commit: "0123456789abcdef" }, names: ["0123456789ab"] },
  cancelled: { given: { kind: "cancelled", by: "the lead" }, names: ["the lead", "dispatch retry shop/S02"] },
};

describe("the text of a landing", () => {
  const textOf = (phase: Extract<Explanation, { kind: "landing" }>["phase"], others: readonly string[] = []) =>
    explainText(task, { kind: "landing", phase, with: others }, 5000);

  it("is another one in every state of its car", () => {
    const phases = ["building", "running", "passed", "red", "advancing", null] as const;
    expect(new Set(phases.map((phase) => textOf(phase).because)).size).toBe(phases.length);
  });

  it("names nobody when it is alone, and not more than five others", () => {
    expect(textOf("running")).toEqual({
      because: "the tests run on main with this change",
      release: "the tests are green on main with this change",
    });
    const others = ["a", "b", "c", "d", "e", "f", "g"].map((name) => `shop/${name}`);
    expect(textOf("building", others).because).toBe("it is being put on main together with shop/a, shop/b, shop/c, shop/d, shop/e and 2 more");
  });
});

describe("the text of an explanation", () => {
  it.each(Object.values(table).map((row) => [row.given.kind, row] as const))("names what matters when it is %s", (_kind, { given, names }) => {
    const { because, release } = explainText(task, given, 5000);
    expect(because).not.toBe("");
    expect(release).not.toBe("");
    for (const name of names) expect(`${because} | ${release}`).toContain(name);
  });
});
