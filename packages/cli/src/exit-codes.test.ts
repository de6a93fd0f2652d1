import { describe, expect, it } from "vitest";
import { exitCodeOf } from "./exit-codes.ts";

describe("exit codes", () => {
  it.each([
    ["USAGE", 2],
    ["CONFIG_INVALID", 2],
    ["FACTORY_MISSING", 2],
    ["EXECUTOR_UNKNOWN", 2],
    ["REPOSITORY_INVALID", 2],
    ["DAEMON_UNREACHABLE", 3],
    ["SPEC_INVALID", 1],
    ["NOT_FOUND", 1],
    ["DAEMON_RUNNING", 1],
    ["LEDGER_VERSION", 1],
    ["A_CODE_OF_TOMORROW", 1],
    ["toString", 1],
  ])("%s is %i", (code, exit) => {
    expect(exitCodeOf(code)).toBe(exit);
  });
});
