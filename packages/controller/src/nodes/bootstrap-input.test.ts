import { execFileSync } from "node:child_process";
import { errorCode } from "@dispatch/core";
import { describe, expect, test } from "vitest";
import { type BootstrapOrder, bootstrapArguments, bootstrapInput } from "./bootstrap-input.ts";

const order: BootstrapOrder = {
  name: "far",
  slots: 8,
  mode: "none",
  agents: [],
  labels: [],
  workDir: undefined,
  nodeVersion: undefined,
  nodeMirror: undefined,
  keys: new Map(),
};

describe("what bootstrap.sh is told", () => {
  test("is only what was asked for", () => {
    expect(bootstrapArguments(order)).toEqual(["--name=far", "--slots=8", "--mode=none"]);
  });

  test("has everything that was asked for, and no key", () => {
    const args = bootstrapArguments({
      ...order,
      mode: "glm",
      agents: ["codex@1.2.3", "opencode"],
      labels: ["cuda", "big"],
      workDir: "/srv/dispatch",
      nodeVersion: "24.1.0",
      nodeMirror: "https://mirror.example/node",
      keys: new Map([["ZAI_API_KEY", "secret"]]),
    });
    expect(args.slice(2)).toEqual([
      "--mode=glm",
      "--agents=codex@1.2.3,opencode",
      "--label=cuda",
      "--label=big",
      "--work-dir=/srv/dispatch",
      "--node-version=24.1.0",
      "--node-mirror=https://mirror.example/node",
      "--keys=node",
    ]);
    expect(args.join()).not.toContain("secret");
  });
});

describe("what sh reads", () => {
  test("sets each key for the script, and for nothing that it starts", () => {
    const keys = new Map([["ZAI_API_KEY", 'a$b`c"d;e&f#g']]);
    const input = bootstrapInput("printf '%s|' \"$ZAI_API_KEY\"; printenv ZAI_API_KEY || printf none\n", { keys });
    expect(execFileSync("sh", ["-s"], { input, encoding: "utf8", env: { PATH: process.env["PATH"] } })).toBe('a$b`c"d;e&f#g|none');
  });

  test.each([
    ["a quote", "ZAI_API_KEY", "a'b"],
    ["a blank", "ZAI_API_KEY", "a b"],
    ["a line", "ZAI_API_KEY", "a\nb"],
    ["nothing", "ZAI_API_KEY", ""],
    ["a name that is none", "x;id", "a"],
  ])("refuses %s", (_word, name, value) => {
    const act = (): string => bootstrapInput("", { keys: new Map([[name, value]]) });
    expect(act).toThrow();
    try {
      act();
    } catch (error) {
      expect(errorCode(error)).toBe("USAGE");
    }
  });
});
