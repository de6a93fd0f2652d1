import type { RecoverableAttempt } from "@dispatch/controller";
import { expect, test } from "vitest";
import { aView, noon } from "../testing/sample-views.ts";
import { recoveryLines } from "./recovery-lines.ts";

const oid = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
const held = (kind: "result" | "salvage", files: number) => ({
  ref: `refs/dispatch/${kind}/shop--S01-a--1`,
  kind,
  commit: oid,
  size: { commits: 1, files, at: noon },
});
const parked: RecoverableAttempt = {
  attempt: "shop--S01-a--1",
  n: 1,
  base: oid,
  endedAt: noon - 3 * 60_000,
  state: "exhausted",
  landed: false,
  because: "not accepted after 3 rounds",
  held: [held("result", 1), held("salvage", 4)],
  whole: held("salvage", 4),
  pruned: [],
  branch: "recover/shop--S01-a--1",
};
const lines = (state: string | null, ...attempts: RecoverableAttempt[]) =>
  recoveryLines({ task: "shop/S01-a", state, hub: "/f/.dispatch/hub/shop.git", attempts }, aView(80));

test("attempts are listed with what is held of each, and how to get the newest back", () => {
  const landed: RecoverableAttempt = {
    ...parked,
    attempt: "shop--S01-a--2",
    n: 2,
    state: "merged",
    landed: true,
    because: "landed as 9f9f9f9f9",
    held: [],
    whole: null,
  };
  const gone = [{ ref: "refs/dispatch/salvage/shop--S01-a--2", commit: oid, because: "shop/S01-a was merged 91 days ago", at: noon }];
  expect(lines("merged", parked, { ...landed, pruned: gone })).toEqual([
    "shop/S01-a  merged; its work is in /f/.dispatch/hub/shop.git",
    "",
    "attempt 1  exhausted from 1a2b3c4d5, ended 3m00s ago: not accepted after 3 rounds",
    "  refs/dispatch/result/shop--S01-a--1  1a2b3c4d5  1 commit, 1 file changed",
    "  refs/dispatch/salvage/shop--S01-a--1  1a2b3c4d5  1 commit, 4 files changed (all of it)",
    "",
    "attempt 2  merged from 1a2b3c4d5, ended 3m00s ago: landed as 9f9f9f9f9",
    `  let go of refs/dispatch/salvage/shop--S01-a--2  ${oid}: shop/S01-a was merged 91 days ago`,
    "",
    "try: dispatch recover shop/S01-a --attempt 1 --to recover/shop--S01-a--1   (a branch in the project's repository; --into DIR in another clone)",
    "     dispatch recover shop/S01-a --attempt 1 --patch   (the same as a patch)",
  ]);
});

test("what nobody holds, cannot be read or is unknown is said", () => {
  expect(lines("parked", { ...parked, held: [], whole: null }).at(-1)).toBe("  the hub holds nothing of it");
  const broken = { ...held("result", 1), size: null };
  expect(
    lines(null, {
      ...parked,
      base: null,
      endedAt: null,
      state: "unknown",
      because: "the ledger does not know it",
      held: [broken],
      whole: broken,
    }).slice(0, 4),
  ).toEqual([
    "shop/S01-a  unknown to the ledger; its work is in /f/.dispatch/hub/shop.git",
    "",
    "attempt 1  unknown: the ledger does not know it",
    "  refs/dispatch/result/shop--S01-a--1  1a2b3c4d5  cannot be read",
  ]);
  expect(lines("planned")).toEqual(["shop/S01-a  planned; its work is in /f/.dispatch/hub/shop.git", "no attempt was made yet"]);
});
