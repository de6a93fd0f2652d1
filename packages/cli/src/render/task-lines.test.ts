import type { Attempt, Finding } from "@dispatch/core";
import type { TaskView } from "@dispatch/protocol";
import { describe, expect, it } from "vitest";
import { aRow, aSpec, aView, noon } from "../testing/sample-views.ts";
import { taskLines } from "./task-lines.ts";

const base = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
const finding: Finding = {
  gate: "G03",
  severity: "block",
  path: "src/a.ts",
  line: 3,
  found: "a marker is left",
  why: "work is not done",
  hint: "finish it",
};
const attempt: Attempt = {
  id: "shop--S01-a--1",
  task: "shop/S01-a",
  n: 1,
  node: "local",
  base,
  executor: "shell",
  placedAt: noon - 60_000,
  endedAt: noon - 20_000,
  cursor: 9,
  notices: [],
  rounds: [
    {
      n: 1,
      startedAt: noon - 59_000,
      agent: { endedAt: noon - 50_000, exitCode: 3, outcome: "exited", usage: { inputTokens: 1200, outputTokens: 30 } },
      checked: { at: noon - 49_000, findings: [finding], verifyMs: 800 },
    },
    {
      n: 2,
      startedAt: noon - 48_000,
      agent: { endedAt: noon - 40_000, exitCode: 0, outcome: "exited", usage: null },
      checked: { at: noon - 39_000, findings: [], verifyMs: 900 },
    },
  ],
  state: { kind: "discarded", outcome: { kind: "exhausted", rounds: 3, findings: [finding] }, tip: base, salvage: null },
};

function parkedTask(): TaskView {
  const row = aRow("shop/S01-a", { state: "parked", because: "parked: not accepted after 3 rounds", attempt: 1 });
  return {
    row,
    task: {
      id: row.id,
      project: "shop",
      spec: aSpec("S01-a", { dependsOn: ["S00-z"] }),
      digest: "abcdef0123456789",
      text: "",
      path: "specs/shop/S01-a.md",
      revision: 2,
      plannedAt: noon - 90_000,
      state: {
        kind: "parked",
        since: noon,
        tries: 1,
        limit: 1,
        feedback: [],
        because: {
          code: "rounds-exhausted",
          text: "not accepted after 3 rounds",
          findings: [finding],
          conflict: null,
          salvage: "refs/dispatch/salvage/shop--S01-a--1",
        },
      },
    },
    attempts: [attempt],
    refs: ["refs/dispatch/result/shop--S01-a--1"],
    hub: "/f/.dispatch/hub/shop.git",
  };
}

describe("taskLines", () => {
  it("tells a parked task with its rounds, and its findings at length once", () => {
    expect(taskLines(parkedTask(), aView(120))).toEqual([
      "shop/S01-a  Title of shop/S01-a",
      "  state      parked: not accepted after 3 rounds",
      "  spec       specs/shop/S01-a.md (revision 2, abcdef012345)",
      "  priority   2",
      "  depends on S00-z",
      "  modifies   src/a.ts",
      "",
      "attempt 1  not accepted after 3 rounds, on local with shell from 1a2b3c4d5, placed 11:59:00, 40s",
      "  round 1  agent exit code 3 after 9s · tokens 1.2k in, 30 out · 1 finding (verify took 800ms)",
      "    G03 src/a.ts:3: a marker is left",
      "  round 2  agent done after 8s · green (verify took 900ms)",
      "",
      "parked  not accepted after 3 rounds (rounds-exhausted)",
      "  G03 src/a.ts:3",
      "    a marker is left",
      "    work is not done",
      "    try: finish it",
      "  its work is kept at refs/dispatch/salvage/shop--S01-a--1",
      "  try: dispatch retry shop/S01-a (with --edited after a change of the spec), or dispatch cancel shop/S01-a",
      "",
      "refs in /f/.dispatch/hub/shop.git",
      "  refs/dispatch/result/shop--S01-a--1",
      "  try: git --git-dir=/f/.dispatch/hub/shop.git show refs/dispatch/result/shop--S01-a--1",
    ]);
  });

  it("tells what it cites of the shared contract, and with which moves of main that changed under an attempt", () => {
    const parked = parkedTask();
    const told = {
      ...parked,
      task: { ...parked.task, spec: aSpec("S01-a", { contract: ["API.md#POST /cart"] }) },
      attempts: [{ ...attempt, notices: [base] }],
    };
    const lines = taskLines(told, aView(120));
    expect(lines).toContain("  contract   API.md#POST /cart");
    expect(lines).toContain("  told     the shared contract changed with 1a2b3c4d5");
  });

  it("tells the findings of the round that is open at length", () => {
    const parked = parkedTask();
    const rounds = attempt.rounds.slice(0, 1);
    const running: TaskView = {
      ...parked,
      row: aRow("shop/S01-a", { state: "running", because: "round 2 runs" }),
      task: { ...parked.task, state: { kind: "running", attempt: attempt.id, node: "local", round: 1, tries: 1, limit: 1, feedback: [] } },
      attempts: [
        {
          ...attempt,
          rounds,
          endedAt: 0,
          state: { kind: "running", round: 1, identity: { bootId: "", tmuxStart: 0, pid: 1, pidStart: "", token: "" } },
        },
      ],
      refs: [],
    };
    expect(taskLines(running, aView(120)).slice(7)).toEqual([
      "attempt 1  running round 1 on local with shell from 1a2b3c4d5, placed 11:59:00",
      "  round 1  agent exit code 3 after 9s · tokens 1.2k in, 30 out · 1 finding (verify took 800ms)",
      "    G03 src/a.ts:3",
      "      a marker is left",
      "      work is not done",
      "      try: finish it",
    ]);
  });
});
