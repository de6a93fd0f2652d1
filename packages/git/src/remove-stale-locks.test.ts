import { expect, test } from "vitest";
import { ownersIn } from "./remove-stale-locks.ts";

const processes = [
  "  101 git --git-dir=/hubs/shop.git update-ref -m x refs/heads/main a b",
  "102 /usr/bin/git --git-dir=/hubs/shop.git fetch --progress -- /x",
  "103 git --git-dir=/hubs/shop.git.new-12 fetch",
  "104 git --git-dir=/hubs/other.git update-ref refs/heads/main a b",
  "105 vim --git-dir=/hubs/shop.git",
  "106 node controller.mjs",
  "107 ",
  "108 git --git-dir=/hubs/shop.git cat-file --batch-command",
].join("\n");

test.each([
  ["all", [101, 102]],
  ["main", [101]],
] as const)("owners of locks, scope %s", (scope, expected) => {
  expect(ownersIn(processes, "/hubs/shop.git", scope)).toEqual(expected);
});
