import { type CommandResult, eventVersion, type FactoryEvent, type Finding } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { aSpec, aView, noon } from "../testing/sample-views.ts";
import { eventLine } from "./event-line.ts";
import { eventText, taskOfAttempt } from "./event-text.ts";
import { nextState, traceLine } from "./trace-states.ts";

const oid = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
const task = "shop/S01-a";
const attempt = "shop--S01-a--2";
const candidate = { commit: oid, merge: oid, tree: oid };
const car = { project: "shop", car: "7" };
const finding: Finding = { gate: "G03", severity: "block", path: "src/a.ts", line: 3, found: "a marker is\nleft", why: "", hint: "" };
const note: Finding = { ...finding, severity: "note" };
const green: CommandResult = { command: "npm test", outcome: "exited", exitCode: 0, signal: null, durationMs: 1200, outputBytes: 0, outputTail: "" };
const identity = { bootId: "b", tmuxStart: 1, pid: 2, pidStart: "3", token: "t" };
const reported = (fact: Extract<FactoryEvent, { type: "wrapper-reported" }>["fact"]): FactoryEvent => ({
  type: "wrapper-reported",
  attempt,
  seq: 1,
  reportedAt: noon,
  fact,
});
const spec = { spec: aSpec("S01-a"), digest: "d", text: "", path: "specs/shop/S01-a.md" };
const conflict = {
  code: 409 as const,
  spec: "S01-a",
  attempt,
  base: oid,
  main: oid,
  kind: "stale_base" as const,
  textMerge: "conflict" as const,
  paths: [{ path: "src/a.ts", expected: oid, actual: oid, yours: oid, changedBy: [] }],
  hint: "",
};

const table: [FactoryEvent, string, string, ReturnType<typeof nextState>][] = [
  [{ type: "project-started", project: "shop", main: oid }, "shop", "started, main is 1a2b3c4d5", "unchanged"],
  [{ type: "project-paused", project: "shop", by: "the lead" }, "shop", "paused by the lead", "unchanged"],
  [{ type: "task-planned", task, ...spec }, task, "planned: Title of S01-a", "planned"],
  [{ type: "spec-revised", task, ...spec }, task, "planned again with an edited spec", "planned"],
  [{ type: "task-placed", task, attempt, n: 2, node: "local", base: oid, executor: "shell" }, task, "attempt 2 on local with shell", "starting"],
  [{ type: "task-retried", task, by: "the lead" }, task, "retried by the lead", "planned"],
  [{ type: "task-cancelled", task, by: "the lead" }, task, "cancelled by the lead", "ask"],
  [{ type: "node-cordoned", node: "gpu", drain: false, by: "the lead" }, "node gpu", "cordoned by the lead: takes no new tasks", "unchanged"],
  [
    { type: "node-cordoned", node: "gpu", drain: true, by: "the lead" },
    "node gpu",
    "drained by the lead: takes no new tasks and becomes empty",
    "unchanged",
  ],
  [{ type: "node-uncordoned", node: "gpu", by: "the lead" }, "node gpu", "takes tasks again, by the lead", "unchanged"],
  [{ type: "node-lost", node: "gpu", because: "no link" }, "node gpu", "lost: no link; its tasks go on elsewhere", "unchanged"],
  [{ type: "node-returned", node: "gpu" }, "node gpu", "is back; what was fenced there is stopped and fetched", "unchanged"],
  [{ type: "attempt-fenced", attempt, because: "no link" }, task, "fenced, what it still says is not heard: no link", "ask"],
  [{ type: "attempt-retired", attempt, tip: null, salvage: null }, task, "the fenced session left nothing", "unchanged"],
  [{ type: "attempt-retired", attempt, tip: oid, salvage: null }, task, "what the fenced session left is in the hub", "unchanged"],
  [{ type: "attempt-abandoned", attempt, by: "the lead" }, task, "given up by the lead, with what lies on its node", "unchanged"],
  [{ type: "attempt-refused", attempt, because: "no disk", retry: "later" }, task, "could not start: no disk", "ask"],
  [reported({ type: "attempt-started", identity }), task, "session is up", "running"],
  [reported({ type: "round-started", round: 2 }), task, "round 2", "running"],
  [
    reported({ type: "agent-ended", round: 1, result: { ...green, exitCode: 3 }, usage: { inputTokens: 5, outputTokens: 6 } }),
    task,
    "round 1: the agent ended with exit code 3 after 1s, tokens 5 in, 6 out",
    "unchanged",
  ],
  [
    reported({ type: "agent-ended", round: 1, result: { ...green, outcome: "timed-out" }, usage: null }),
    task,
    "round 1: the agent was stopped, out of time after 1s",
    "unchanged",
  ],
  [
    reported({ type: "round-checked", round: 1, verify: [green], findings: [finding, note] }),
    task,
    "round 1 checked: 1 finding (G03): a marker is left",
    "unchanged",
  ],
  [
    reported({ type: "attempt-ended", outcome: { kind: "succeeded", tip: oid, base: oid, rounds: 2 } }),
    task,
    "succeeded after 2 rounds",
    "collecting",
  ],
  [reported({ type: "attempt-ended", outcome: { kind: "lost", because: "tmux died" } }), task, "lost: tmux died", "collecting"],
  [{ type: "attempt-stop-asked", attempt, because: "down" }, task, "asked to stop: down", "unchanged"],
  [{ type: "attempt-collected", attempt, tip: oid, salvage: null }, task, "its work is in the hub", "ask"],
  [{ type: "workspace-discarded", attempt }, task, "its worktree was removed", "unchanged"],
  [{ type: "result-checked", attempt, findings: [note] }, task, "checked on the controller: green, 1 note", "queued"],
  [{ type: "result-checked", attempt, findings: [], alone: true }, task, "checked on the controller: green; lands by itself", "queued"],
  [{ type: "result-checked", attempt, findings: [finding] }, task, "checked on the controller: 1 finding (G03): a marker is left", "ask"],
  [{ type: "car-planned", ...car, kind: "car", members: [task], ahead: [] }, "shop", "car 7 is to land: S01-a", "unchanged"],
  [
    { type: "car-planned", ...car, kind: "car", members: [task, "shop/S02-b"], ahead: ["5", "6"] },
    "shop",
    "car 7 is to land: S01-a, S02-b, behind car 5, car 6",
    "unchanged",
  ],
  [{ type: "car-planned", ...car, kind: "part", members: [task], ahead: [] }, "shop", "car 7 asks who is to blame: S01-a", "unchanged"],
  [{ type: "car-built", ...car, members: [task], candidate }, "shop", "car 7 is tested as 1a2b3c4d5, which is main with one branch", "unchanged"],
  [
    {
      type: "car-built",
      ...car,
      members: [task, "shop/S02-b"],
      candidate,
      notes: [{ gate: "landing", severity: "note", found: "the contract changed", why: "", hint: "" }],
    },
    "shop",
    "car 7 is tested as 1a2b3c4d5, which is main with 2 branches; the contract changed",
    "unchanged",
  ],
  [{ type: "candidate-refused", task, findings: [], conflict }, task, "conflict in src/a.ts", "ask"],
  [
    { type: "car-passed", ...car, candidate, run: "shop-7", gateHash: "h", verify: [green] },
    "shop",
    "car 7 is green: npm test ended after 1s",
    "unchanged",
  ],
  [
    { type: "car-passed", ...car, candidate, run: "shop-7", gateHash: "h", verify: [] },
    "shop",
    "car 7 is green: the same tree was before",
    "unchanged",
  ],
  [{ type: "car-failed", ...car, findings: [finding] }, "shop", "car 7 is red: 1 finding (G03): a marker is left", "unchanged"],
  [{ type: "run-broken", ...car, because: "no memory" }, "shop", "car 7 is run again: no memory", "unchanged"],
  [{ type: "car-dropped", ...car, because: "main moved" }, "shop", "car 7 is given up, its branches wait again: main moved", "unchanged"],
  [{ type: "car-landed", ...car, commit: oid, from: oid }, "shop", "car 7 landed, main is 1a2b3c4d5", "unchanged"],
  [{ type: "task-merged", task, commit: oid, from: oid }, task, "merged as 1a2b3c4d5", "merged"],
  [{ type: "landing-frozen", project: "shop", commit: oid, because: "main is red" }, "shop", "landing frozen at 1a2b3c4d5: main is red", "unchanged"],
  [
    {
      type: "contract-changed",
      project: "shop",
      from: oid,
      commit: oid,
      entries: [
        { file: "API.md", anchor: "POST /cart", change: "changed" },
        { file: "API.md", anchor: "", change: "removed" },
      ],
    },
    "shop",
    "the shared contract changed with 1a2b3c4d5: API.md#POST /cart changed, API.md removed",
    "unchanged",
  ],
  [{ type: "collect-requested", project: "shop", by: "the lead" }, "shop", "collect asked for by the lead", "unchanged"],
  [{ type: "origin-taken-in", project: "shop", main: oid, commits: 1 }, "shop", "took in 1 commit of origin, main is 1a2b3c4d5", "unchanged"],
  [{ type: "publishing-planned", project: "shop" }, "shop", "publishing main", "unchanged"],
  [{ type: "origin-moved", project: "shop" }, "shop", "origin moved meanwhile, taking it in again", "unchanged"],
  [{ type: "main-published", project: "shop", commit: oid }, "shop", "published 1a2b3c4d5", "unchanged"],
  [{ type: "main-published", project: "shop", commit: oid, url: "https://h/pull/1" }, "shop", "published 1a2b3c4d5 by https://h/pull/1", "unchanged"],
  [
    { type: "main-watched", project: "shop", commit: oid, outcome: "green", findings: [] },
    "shop",
    "the tests of 1a2b3c4d5 after publishing: green",
    "unchanged",
  ],
  [
    { type: "main-watched", project: "shop", commit: oid, outcome: "green", findings: [{ ...finding, severity: "note" }] },
    "shop",
    "the tests of 1a2b3c4d5 after publishing: green, red once before: a marker is left",
    "unchanged",
  ],
  [
    { type: "main-watched", project: "shop", commit: oid, outcome: "red", findings: [finding] },
    "shop",
    "the tests of 1a2b3c4d5 after publishing: 1 finding (G03): a marker is left",
    "unchanged",
  ],
  [
    { type: "collect-stopped", project: "shop", code: "ORIGIN_REFUSED", because: "not a fast-forward", hint: "" },
    "shop",
    "collect stopped: not a fast-forward",
    "unchanged",
  ],
];

describe("events in words", () => {
  it.each(table)("$type", (event, subject, text, next) => {
    expect(eventText(event)).toEqual({ subject, project: subject.startsWith("node ") ? subject : "shop", text });
    expect(nextState(event)).toBe(next);
  });

  it("an attempt's task is found in its id, whatever dashes its names have", () => {
    expect(taskOfAttempt("my-shop--S01-a-b-c--12")).toBe("my-shop/S01-a-b-c");
  });

  it("a line of the log fits the terminal, and is whole without one", () => {
    const stored = {
      seq: 42,
      at: noon,
      v: eventVersion as typeof eventVersion,
      event: { type: "landing-frozen" as const, project: "shop", commit: oid, because: "主分支是红的 and more" },
    };
    expect(eventLine(stored, aView(Number.POSITIVE_INFINITY))).toBe(
      "12:00:00 #42 shop landing-frozen  landing frozen at 1a2b3c4d5: 主分支是红的 and more",
    );
    expect(eventLine(stored, aView(70))).toBe("12:00:00 #42 shop landing-frozen  landing frozen at 1a2b3c4d5: 主分支…");
  });
});

describe("traceLine", () => {
  const stored = {
    seq: 3,
    at: noon,
    v: eventVersion as typeof eventVersion,
    event: { type: "task-placed" as const, task, attempt, n: 2, node: "local", base: oid, executor: "shell" },
  };
  it.each([
    ["planned", "starting", "12:00:00 S01-a planned→starting  attempt 2 on local with shell"],
    ["running", "running", "12:00:00 S01-a running  attempt 2 on local with shell"],
    [undefined, "planned", "12:00:00 S01-a planned  attempt 2 on local with shell"],
    [undefined, undefined, "12:00:00 S01-a  attempt 2 on local with shell"],
  ] as const)("from %s to %s", (before, after, line) => {
    expect(traceLine(stored, before, after, aView(80))).toBe(line);
  });
});
