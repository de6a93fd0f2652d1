import { describe, expect, test } from "vitest";
import { fingerprint, namesOf, normaliseMessage, testKey } from "./fingerprint.ts";

const test1 = { suite: "src/a.test.ts", name: "adds", message: "expected 3 to be 4" };

describe("the fingerprint of a failure", () => {
  test.each([
    ["paths", "cannot find /tmp/a/b/c.js", "cannot find /home/x/other/c.js"],
    ["addresses", "object at 0x7f3a22", "object at 0x11ffee"],
    ["times", "timed out after 5012 ms", "timed out after 5.1 s"],
    ["dates", "now is 2026-11-30T10:15:52.458Z", "now is 2027-01-02T00:00:00Z"],
    ["lines", "boom at a.js:12:3", "boom at a.js:90:14"],
    ["ports", "connect ECONNREFUSED 127.0.0.1:40123", "connect ECONNREFUSED 127.0.0.1:5"],
    ["identifiers", "row 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone", "row 6ba7b810-9dad-11d1-80b4-00c04fd430c8 is gone"],
    ["urls", "GET http://127.0.0.1:4012/posts gave 500", "GET http://127.0.0.1:4013/posts gave 500"],
  ])("does not depend on %s", (_, left, right) => {
    expect(normaliseMessage(left)).toBe(normaliseMessage(right));
  });

  test.each([
    ["another value", { ...test1, message: "expected 5 to be 4" }],
    ["another test", { ...test1, name: "adds more" }],
    ["another suite", { ...test1, suite: "src/b.test.ts" }],
  ])("tells %s apart", (_, other) => {
    expect(fingerprint(other)).not.toBe(fingerprint(test1));
  });

  test("a file that is named with its folder is the same in another worktree", () => {
    expect(testKey({ suite: "", name: "/home/a/work/att_1/lib/x.test.js" })).toBe(testKey({ suite: "", name: "/home/a/verify/shop/lib/x.test.js" }));
    expect(testKey({ suite: "", name: "/w/lib/x.test.js" })).not.toBe(testKey({ suite: "", name: "/w/lib/y.test.js" }));
  });
});

test("names are told once, and how many more there are", () => {
  const many = Array.from({ length: 12 }, (_, i) => ({ suite: "s", name: `t${i % 11}` }));
  expect(namesOf(many, 3)).toBe("s › t0; s › t1; s › t2 and 8 more");
});
