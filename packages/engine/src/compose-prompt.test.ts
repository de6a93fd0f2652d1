import type { Attempt, Task } from "@dispatch/core";
import { describe, expect, it } from "vitest";
import { anOid, aSpec } from "../../../test/kit/build-facts.ts";
import { composePrompt, type PromptInput } from "./compose-prompt.ts";

const verify = [{ run: "npm test", cwd: ".", timeoutSeconds: 60, env: {} }];
const entry = '## POST /schedule\n\nRequest:\n\n```json\n{ "posts": [] }\n```';
const goldenFile = (name: string): string => new URL(`../../../test/golden/prompts/${name}.md`, import.meta.url).pathname;

function anInput(change: Partial<Task["spec"]> = {}, contract: PromptInput["contract"] = { files: [], cited: [] }): PromptInput {
  const spec = aSpec("S02-schedule", { modifies: ["src/schedule.ts"], forbids: ["src/auth.ts"], ...change });
  const task: Task = {
    id: "shop/S02-schedule",
    project: "shop",
    spec,
    digest: "0",
    text: "---\ntask_id: S02-schedule\n---\n\n## Goal\n\nPosts can be scheduled.\n",
    path: "specs/shop/S02-schedule.md",
    revision: 1,
    plannedAt: 0,
    state: { kind: "starting", attempt: "shop--S02-schedule--1", node: "local", tries: 1, limit: 2, feedback: [] },
  };
  const attempt: Attempt = {
    id: "shop--S02-schedule--1",
    task: task.id,
    n: 1,
    node: "local",
    base: anOid(7),
    executor: "agent",
    placedAt: 0,
    endedAt: 0,
    cursor: 0,
    rounds: [],
    notices: [],
    state: { kind: "starting" },
  };
  return { task, attempt, verify, maxRounds: 3, generated: [], contract };
}

describe("the first prompt", () => {
  it("names the files that a command may make anew, and the command", () => {
    const command = { run: "npm install --package-lock-only", cwd: ".", timeoutSeconds: 60, env: {} };
    const prompt = composePrompt({ ...anInput(), generated: [{ paths: ["package-lock.json"], command }] });
    expect(prompt).toContain("`npm install --package-lock-only` may also make package-lock.json anew.");
    expect(composePrompt(anInput())).not.toContain("may also make");
  });

  it("of a task in a project without a contract", async () => {
    await expect(composePrompt(anInput())).toMatchFileSnapshot(goldenFile("plain"));
  });

  it("of a task that builds on the contract: its entries in full, before the spec", async () => {
    const contract = { files: ["SHARED_CONTEXT.md", "api/open.yaml"], cited: [{ citation: "SHARED_CONTEXT.md#POST /schedule", text: entry }] };
    await expect(composePrompt(anInput({ contract: ["SHARED_CONTEXT.md#POST /schedule"] }, contract))).toMatchFileSnapshot(goldenFile("contract"));
  });

  it("of a task that changes the contract", async () => {
    const contract = { files: ["SHARED_CONTEXT.md"], cited: [] };
    await expect(composePrompt(anInput({ type: "contract", modifies: ["SHARED_CONTEXT.md"] }, contract))).toMatchFileSnapshot(
      goldenFile("contract-task"),
    );
  });

  it("of a task that has to show more than green tests", async () => {
    const acceptance = [
      { id: "AC1", text: "51 posts are refused", command: "npm test -- limit", expected: "" },
      { id: "AC2", text: "the old name is gone", command: "grep -c old src/schedule.ts", expected: 'equals "0"' },
    ];
    const evidence = [
      { scenario: "Fifty-one posts", path: "evidence/S02-schedule/limit.txt", manual: false },
      { scenario: "The page shows it", path: "evidence/S02-schedule/page.png", manual: true },
    ];
    await expect(composePrompt(anInput({ type: "refactor", acceptance, evidence }))).toMatchFileSnapshot(goldenFile("demands"));
  });

  it("stays bounded with a contract of any size, and says what it left out", () => {
    const cited = Array.from({ length: 5 }, (_, n) => ({ citation: `BIG.md#GET /${n}`, text: "word ".repeat(3000) }));
    const prompt = composePrompt(anInput({}, { files: ["BIG.md"], cited }));
    expect(prompt.length).toBeLessThan(30_000);
    expect(prompt).toContain("cut after 9000 of 15000");
    expect(prompt.match(/read it in the file/g)).toHaveLength(3);
    expect(prompt).toContain("Posts can be scheduled.");
  });

  it("is the same for the same input", () => {
    expect(composePrompt(anInput())).toBe(composePrompt(anInput()));
  });
});
