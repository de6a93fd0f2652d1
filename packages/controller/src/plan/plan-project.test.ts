import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planProject } from "./plan-project.ts";

let dir = "";

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "dispatch-plan-"));
  await mkdir(join(dir, "specs/pending"), { recursive: true });
  await writeFile(
    join(dir, "dispatch.yaml"),
    "version: 1\nprojects:\n  shop: { repo: ../shop, verify: npm test, executor: x }\nexecutors:\n  x: { command: ['true'] }\n",
  );
  await writeFile(join(dir, "nodes.json"), JSON.stringify({ nodes: [{ name: "local", slots: 2 }] }));
});

afterEach(() => rm(dir, { recursive: true }));

function writeSpec(id: string, front: string, path = `src/${id}.ts`): Promise<void> {
  const text = `---
task_id: ${id}
project: shop
modifies: [${path}]
verify: npm test
estimate_min: 10
${front}---

## Goal

Change ${path} so that it says hello.

## Acceptance

- [ ] it says hello: \`npm test\` -> exit 0
- [ ] an empty name is refused: \`npm test\` -> exit 0

## Do not

- touch anything else
`;
  return writeFile(join(dir, "specs/pending", `${id}.md`), text);
}

describe("a plan without a daemon", () => {
  it("of no specs is empty, and of an unknown project a failure", async () => {
    expect(await planProject(dir, "shop")).toMatchObject({ tasks: [], unfed: 0, slots: 2, never: [], problems: [] });
    await expect(planProject(dir, "nope")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("of one spec is that spec", async () => {
    await writeSpec("S01-hello", "");
    const plan = await planProject(dir, "shop");
    expect(plan.problems.filter((problem) => problem.severity === "error")).toEqual([]);
    expect(plan).toMatchObject({ unfed: 1, minutes: 10, tasks: [{ id: "shop/S01-hello", wave: 1, from: 0, to: 10 }] });
  });

  it("orders by dependencies, cuts slots, and leaves out files with errors and what needs them", async () => {
    await Promise.all([
      writeSpec("S01-hello", ""),
      writeSpec("S02-next", "depends_on: [S01-hello]\n"),
      writeSpec("S03-other", ""),
      writeSpec("S04-broken", "priority: high\n"),
      writeSpec("S05-after", "depends_on: [S04-broken]\n"),
    ]);
    const plan = await planProject(dir, "shop", 1);
    const done = plan.tasks.map((task) => task.id);
    expect(done).toContain("shop/S02-next");
    expect(done).not.toContain("shop/S04-broken");
    expect(plan.minutes).toBe(10 * done.length);
    expect(plan.problems.some((problem) => problem.file.endsWith("S04-broken.md") && problem.severity === "error")).toBe(true);
    expect(plan.never).toMatchObject([{ id: "shop/S05-after", release: expect.stringContaining("specs/pending/S04-broken.md") }]);
  });
});
