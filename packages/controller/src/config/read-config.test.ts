import { describe, expect, it } from "vitest";
import { readConfig } from "./read-config.ts";
import { Factory, Nodes } from "./schema.ts";

const read = (text: string) => readConfig(Factory, "dispatch.yaml", text);
const problems = (text: string) => {
  const result = read(text);
  return "problems" in result ? result.problems : [];
};

describe("reading dispatch.yaml", () => {
  it("accepts the least that is right, and fills in the defaults", () => {
    const result = read("version: 1\nprojects:\n  shop:\n    repo: ../shop\n");
    expect(result).toMatchObject({
      value: { projects: { shop: { branch: "main", landing: "continuous", rounds: 3 } }, executors: {}, daemon: { port: 0 } },
    });
  });

  it("accepts a BOM and CRLF", () => {
    expect(read("\uFEFFversion: 1\r\nprojects: {}\r\n")).toHaveProperty("value");
  });

  it("names every problem at once, with its place and what would be right", () => {
    const found = problems("version: 2\nprojects:\n  Shop:\n    repo: x\n  shop:\n    rep: y\n    landing: sometimes\n    rounds: 9\nexecutor: {}\n");
    expect(found.map((problem) => [problem.file, problem.path]).sort()).toEqual([
      ["dispatch.yaml:1:1", "version"],
      ["dispatch.yaml:3:3", "projects.Shop"],
      ["dispatch.yaml:5:3", "projects.shop.repo"],
      ["dispatch.yaml:6:5", "projects.shop.rep"],
      ["dispatch.yaml:7:5", "projects.shop.landing"],
      ["dispatch.yaml:8:5", "projects.shop.rounds"],
      ["dispatch.yaml:9:1", "executor"],
    ]);
    for (const problem of found) {
      expect(problem.message).not.toBe("");
      expect(problem.hint).not.toBe("");
    }
  });

  it.each([
    ["a tab", "version: 1\nprojects:\n\tshop: {}\n"],
    ["an open quote", 'version: "1\n'],
    ["a duplicate key", "version: 1\nversion: 1\n"],
    ["two documents", "version: 1\n---\nversion: 1\n"],
    ["a list", "- version: 1\n"],
    ["plain text", "hello\n"],
    ["nothing", ""],
  ])("refuses %s with a place", (_word, text) => {
    const found = problems(text);
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]?.file).toContain("dispatch.yaml");
  });

  it("does not unfold an alias bomb", () => {
    const lines = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (let i = 0; i < 9; i++) lines.push(`${"bcdefghij"[i]}: &${"bcdefghij"[i]} [${Array(9).fill(`*${"abcdefghi"[i]}`).join(",")}]`);
    expect(problems(lines.join("\n"))).not.toEqual([]);
  });

  it("reads nodes.json with the same care", () => {
    const result = readConfig(Nodes, "nodes.json", '{ "nodes": [{ "name": "local", "slots": 0 }, { "name": "b", "slots": 2, "transport": "ssh" }] }');
    expect("problems" in result ? result.problems.map((problem) => problem.path) : []).toEqual(["nodes.0.slots", "nodes.1.transport"]);
  });

  it.each([
    ["an option in place of a target", { ssh_target: "-oProxyCommand=x" }, "nodes.0.ssh_target"],
    ["a command in place of a target", { ssh_target: "host; rm" }, "nodes.0.ssh_target"],
    ["a key that is no fingerprint", { ssh_target: "me@host:2222", host_key: "AAAA" }, "nodes.0.host_key"],
    ["another transport", { ssh_target: "me@host", transport: "telnet" }, "nodes.0.transport"],
  ])("refuses %s", (_word, entry, path) => {
    const result = readConfig(Nodes, "nodes.json", JSON.stringify({ nodes: [{ name: "far", slots: 2, ...entry }] }));
    expect("problems" in result ? result.problems.map((problem) => problem.path) : []).toEqual([path]);
  });

  it.each(["me@host", "me@host:2222", "ssh://me@host:2222", "gpu-1.lan", "[::1]:22"])("takes %s for an SSH target", (ssh_target) => {
    const host_key = `ssh-ed25519 SHA256:${"a".repeat(43)}`;
    expect(readConfig(Nodes, "nodes.json", JSON.stringify({ nodes: [{ name: "far", slots: 2, ssh_target, host_key }] }))).toHaveProperty("value");
  });
});

describe("contracts of a project", () => {
  it.each(["/etc/passwd", "../x", "a\\b", "~/x", "", ".git/config", "a//b"])("refuses %j with its place", (entry) => {
    const found = problems(`version: 1\nprojects:\n  shop:\n    repo: x\n    contracts: [SHARED.md, ${JSON.stringify(entry)}]\n`);
    expect(found.map((problem) => problem.path)).toEqual(["projects.shop.contracts.1"]);
  });

  it("takes what a spec may name", () => {
    expect(read('version: 1\nprojects: {shop: {repo: x, contracts: [SHARED.md, "api/**/*.json", docs/]}}\n')).toHaveProperty("value");
  });
});
