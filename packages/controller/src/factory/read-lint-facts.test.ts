import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { emptyWorld, evolve, type Task } from "@dispatch/core";
import { type BaseView, createRepositories } from "@dispatch/git";
import { type ParsedFile, parseSpec } from "@dispatch/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aSpec, planned } from "../../../../test/kit/build-facts.ts";
import { readConfig } from "../config/read-config.ts";
import { Factory, Nodes } from "../config/schema.ts";
import { createSettings } from "../config/settings.ts";
import { readLintFacts } from "./read-lint-facts.ts";

const contract = "## POST /orders\n\nRequest:\n\n```json\n{}\n```\n\nResponse:\n\n```json\n{}\n```\n";
const files: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({ scripts: { test: "vitest" }, devDependencies: { vitest: "1" } }),
  "api/package.json": JSON.stringify({ scripts: { e2e: "x" } }),
  Makefile: "check:\n\ttrue\n",
  "SHARED.md": contract,
  "contracts/events.md": "## event order.made\n\n```json\n{}\n```\n",
  "notes/cited.md": "## type Order\n\n```json\n{}\n```\n",
  "docs/long.md": "ü".repeat(100),
  "src/a.ts": "export {};\n",
  ".dispatch.yaml": "verify: npm test\n",
};
const config = `version: 1
projects:
  shop: {repo: origin, contracts: [SHARED.md, "contracts/**"]}
  other: {repo: nowhere}
executors: {codex: {command: [c]}}
`;

let root = "";
let base: BaseView;

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-facts-")));
  const origin = join(root, "origin");
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@localhost", ...args], { cwd: root, stdio: "ignore" });
  git("init", "-q", "-b", "main", origin);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(origin, path)), { recursive: true });
    writeFileSync(join(origin, path), text);
  }
  git("-C", origin, "add", "-A");
  git("-C", origin, "commit", "-q", "-m", "first");
  writeFileSync(join(origin, "src/a.ts"), "not committed\n");
  writeFileSync(join(origin, "src/new.ts"), "not tracked\n");
  const found = await createRepositories({ hubDir: join(root, "hubs") }).openBase({ id: "shop", repo: origin, branch: "main" });
  if (found === undefined) throw new Error("no base");
  base = found;
  mkdirSync(join(root, "inputs"));
  writeFileSync(join(root, "inputs/wish.md"), "a wish\n");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function settings() {
  const factory = readConfig(Factory, "dispatch.yaml", config);
  const nodes = readConfig(Nodes, "nodes.json", '{"nodes": [{"name": "local", "slots": 1}]}');
  if (!("value" in factory) || !("value" in nodes)) throw new Error(JSON.stringify([factory, nodes]));
  return createSettings(
    { dir: root, factory: factory.value, nodes: nodes.value },
    { readFile: async (_, __, path) => (await base.readFiles([path])).get(path) },
  );
}

function specOf(fields: string): ParsedFile {
  const file = "specs/shop/S01-x.md";
  return { file, parsed: parseSpec({ text: `---\ntask_id: S01-x\nproject: shop\ncreates: [b.ts]\n${fields}---\n`, file }) };
}

function taskOf(id: string, project: string): Task {
  const evolution = evolve(emptyWorld(), planned(aSpec(id, { project })), 1);
  const task = evolution.outcome === "moved" ? evolution.change.tasks[0] : undefined;
  if (task === undefined) throw new Error(id);
  return task;
}

describe("what is known of a project at its base", () => {
  it("is what the commit holds: files, manifests, contract entries, sizes, and the repository's own policy", async () => {
    const spec = specOf('context: [docs/long.md, docs/none.md]\ncontract: ["notes/cited.md#type Order", "none.md#GET /x"]\n');
    const facts = await readLintFacts({ settings: settings(), bases: new Map([["shop", base]]), tasks: [] }, [spec]);
    expect(facts.executors).toEqual(["codex", "revert"]);
    const shop = facts.projects.find((project) => project.id === "shop");
    expect([...(shop?.files ?? [])].sort()).toEqual(Object.keys(files).sort());
    expect(shop?.hasVerify).toBe(true);
    expect(shop?.manifests?.map(({ file, scripts }) => [file, scripts]).sort()).toEqual([
      ["Makefile", ["check"]],
      ["api/package.json", ["e2e"]],
      ["package.json", ["test"]],
    ]);
    expect(shop?.contracts).toEqual(["SHARED.md", "contracts/**"]);
    expect(
      shop?.contractFiles?.map(({ file, anchors }) => [file, anchors.map(({ anchor, request, response }) => [anchor, request, response])]),
    ).toEqual([
      ["SHARED.md", [["POST /orders", true, true]]],
      ["contracts/events.md", [["event order.made", true, true]]],
      ["notes/cited.md", [["type Order", true, true]]],
    ]);
    expect(shop?.sizes).toEqual(new Map([["docs/long.md", 200]]));
  });

  it("has what specs were split from as it is now, and nothing from outside of the factory", async () => {
    const digest = createHash("sha256").update("a wish\n").digest("hex");
    for (const [path, expected] of [
      ["inputs/wish.md", [["inputs/wish.md", digest]]],
      ["inputs/gone.md", []],
      ["../x.md", []],
    ] as const) {
      const facts = await readLintFacts({ settings: settings(), bases: new Map([["shop", base]]), tasks: [] }, [specOf(`source: {file: ${path}}\n`)]);
      expect([...(facts.projects.find((project) => project.id === "shop")?.sources ?? [])], path).toEqual(expected);
    }
  });

  it("without a base is nothing but the ledger and the configuration: no question about files is put", async () => {
    const tasks = [taskOf("S01-a", "shop"), taskOf("S02-b", "other")];
    const facts = await readLintFacts({ settings: settings(), bases: new Map(), tasks, landed: new Map([["shop", ["S01-a", "S00-old"]]]) }, [
      specOf(""),
    ]);
    expect(facts.projects.map(({ id, files, hasVerify }) => [id, files, hasVerify])).toEqual([
      ["shop", null, true],
      ["other", null, true],
    ]);
    expect(facts.projects.map(({ tasks: known }) => known.map(({ specId, state }) => [specId, state]))).toEqual([
      [
        ["S01-a", "planned"],
        ["S00-old", "merged"],
      ],
      [["S02-b", "planned"]],
    ]);
  });
});
