import type { ReportView } from "@dispatch/protocol";
import { describe, expect, it } from "vitest";
import { aView, noon, someSignals } from "../testing/sample-views.ts";
import { reportLines } from "./report-lines.ts";
import { reportMarkdown } from "./report-markdown.ts";

const commit = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
const report: ReportView = {
  project: "shop",
  from: noon - 102_000,
  to: noon,
  main: commit,
  published: null,
  counts: { merged: 1, parked: 1 },
  tasks: [
    {
      id: "shop/S01-a",
      title: "预约 | schema",
      state: "merged",
      attempts: 1,
      rounds: 2,
      durationMs: 42_000,
      sessionMs: 40_000,
      tokens: null,
      commit,
    },
    {
      id: "shop/S02-b",
      title: "Never *passes*",
      state: "parked",
      attempts: 1,
      rounds: 3,
      durationMs: 60_000,
      sessionMs: 60_000,
      tokens: null,
      commit: null,
    },
  ],
  maxParallel: 2,
  utilisation: 0.874,
  findings: { G03: 1, G07: 0, G04: 2 },
  conflicts: 0,
  tokens: { inputTokens: 12_000, outputTokens: 900 },
  waiting: [
    {
      task: "shop/S02-b",
      because: "not accepted after 3 rounds",
      next: "look at it with dispatch show shop/S02-b",
      findings: [
        { gate: "G03", severity: "block", path: "src/b.ts", line: 7, found: "a `TBD` is left", why: "", hint: "" },
        { gate: "agent", severity: "note", found: "the agent ended with exit code 3", why: "", hint: "" },
      ],
      salvage: "refs/dispatch/salvage/shop--S02-b--1",
      code: "rounds-exhausted",
    },
  ],
  signals: someSignals(
    { advice: "change-split", text: "do not add nodes, change the split" },
    { pending: 5, startable: 2, running: 3, firstRounds: 8, firstRoundsFailed: 1, landings: 9, conflicts: 4, utilisation: 0.5 },
  ),
  losses: [],
  landings: [{ commit, task: "shop/S01-a", at: noon - 60_000 }],
};

describe("report", () => {
  it("in a terminal", () => {
    expect(reportLines(report, aView(100))).toEqual([
      "shop  2 tasks in 1m42s: 1 merged, 1 parked",
      "━━━━━━━━━━━━─────────────  1/2 merged",
      "",
      "TASK   STATE   TRIES  ROUNDS   TOOK  IN SLOT  COMMIT     TITLE",
      "S01-a  merged      1       2    42s      40s  1a2b3c4d5  预约 | schema",
      "S02-b  parked      1       3  1m00s    1m00s             Never *passes*",
      "",
      "main             1a2b3c4d5",
      "published        not yet",
      "at once, at most 2",
      "slots used       87% of the time work was there",
      "findings         G03 1, G04 2",
      "conflicts        0",
      "tokens           12.0k in, 900 out",
      "backlog          5 without a session, 2 of them for want of room, 3 running",
      "first rounds     1 of 8 red (last 60 min, all projects)",
      "landings         4 of 9 met a conflict (last 60 min, all projects)",
      "slots lately     50% used while work was there (last 60 min, all projects)",
      "advice           do not add nodes, change the split",
      "",
      "waits for you",
      "  rounds-exhausted shop/S02-b: not accepted after 3 rounds",
      "    G03 src/b.ts:7: a `TBD` is left",
      "    kept at refs/dispatch/salvage/shop--S02-b--1",
      "    try: look at it with dispatch show shop/S02-b",
    ]);
  });

  it("names the nodes that were lost, when they were back, and what that cost", () => {
    const loss = { node: "gpu_1", lostAt: noon - 600_000, because: "no link", returnedAt: noon - 300_000, fenced: 3 };
    const losses = [loss, { ...loss, node: "gpu_2", returnedAt: null, fenced: 1 }];
    const lines = reportLines({ ...report, losses }, aView(100));
    expect(lines.slice(lines.indexOf("lost nodes"), lines.indexOf("lost nodes") + 3)).toEqual([
      "lost nodes",
      "  gpu_1 lost 11:50:00, back 11:55:00 (5m00s): no link; 3 attempts fenced",
      "  gpu_2 lost 11:50:00, not back yet: no link; 1 attempt fenced",
    ]);
    expect(reportMarkdown({ ...report, losses })).toContain(
      "- gpu\\_1 lost 2026-01-15T11:50:00Z, back 2026-01-15T11:55:00Z (5m00s): no link; 3 attempts fenced",
    );
  });

  it("as Markdown, in which nothing of others becomes markup", () => {
    expect(reportMarkdown(report)).toEqual([
      "# shop",
      "",
      "2 tasks in 1m42s: 1 merged, 1 parked.",
      "From 2026-01-15T11:58:18Z to 2026-01-15T12:00:00Z.",
      "",
      "| Task | State | Tries | Rounds | Took | In slot | Commit | Title |",
      "| --- | --- | ---: | ---: | ---: | ---: | --- | --- |",
      "| S01-a | merged | 1 | 2 | 42s | 40s | `1a2b3c4d5` | 预约 \\| schema |",
      "| S02-b | parked | 1 | 3 | 1m00s | 1m00s |  | Never \\*passes\\* |",
      "",
      "- main: 1a2b3c4d5",
      "- published: not yet",
      "- at once, at most: 2",
      "- slots used: 87% of the time work was there",
      "- findings: G03 1, G04 2",
      "- conflicts: 0",
      "- tokens: 12.0k in, 900 out",
      "- backlog: 5 without a session, 2 of them for want of room, 3 running",
      "- first rounds: 1 of 8 red (last 60 min, all projects)",
      "- landings: 4 of 9 met a conflict (last 60 min, all projects)",
      "- slots lately: 50% used while work was there (last 60 min, all projects)",
      "- advice: do not add nodes, change the split",
      "",
      "## Waits for the lead",
      "",
      "- **shop/S02-b** (rounds-exhausted): not accepted after 3 rounds",
      "  - G03 `src/b.ts:7`: a `TBD` is left",
      "  - kept at `refs/dispatch/salvage/shop--S02-b--1`",
      "  - next: look at it with dispatch show shop/S02-b",
      "",
      "## Landings",
      "",
      "1. `1a2b3c4d5` shop/S01-a, 2026-01-15T11:59:00Z",
    ]);
  });
});
