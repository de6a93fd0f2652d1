import { describe, expect, test } from "vitest";
import { classifyGitError, saidBy, stripCredentials } from "./classify-git-error.ts";

describe("what git said becomes a code", () => {
  test.each([
    ["fatal: write error: No space left on device", undefined, "DISK_FULL"],
    ["error: file write error: No space left on device\nfatal: unable to write loose object file", undefined, "DISK_FULL"],
    ["ENOSPC: no space left on device, mkdir '/x'", undefined, "DISK_FULL"],
    ["remote: fatal: write error: Disk quota exceeded\nerror: remote unpack failed", "origin", "DISK_FULL"],
    ["usage: git merge-tree <base-tree> <branch1> <branch2>", undefined, "TOOL_MISSING"],
    ["fatal: unable to access 'https://host/x.git/': Could not resolve host: host", "origin", "ORIGIN_UNREACHABLE"],
    ["fatal: unable to access 'http://127.0.0.1:9/': Failed to connect to 127.0.0.1 port 9: Connection refused", "origin", "ORIGIN_UNREACHABLE"],
    ["ssh: connect to host h port 22: Connection refused\nfatal: Could not read from remote repository.", "origin", "ORIGIN_UNREACHABLE"],
    ["ssh: connect to host h port 22: Connection refused\nfatal: Could not read from remote repository.", "node", "NODE_UNREACHABLE"],
    ["git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.", "origin", "ORIGIN_UNREACHABLE"],
    ["fatal: could not read Username for 'https://host': terminal prompts disabled", "origin", "ORIGIN_UNREACHABLE"],
    ["Host key verification failed.\nfatal: Could not read from remote repository.", "origin", "ORIGIN_UNREACHABLE"],
    ["fetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF", "node", "NODE_UNREACHABLE"],
    ["ERROR: Repository not found.\nfatal: Could not read from remote repository.", "origin", "REPOSITORY_INVALID"],
    ["remote: Not Found\nfatal: repository 'https://host/x.git/' not found", "origin", "REPOSITORY_INVALID"],
    ["fatal: '/x' does not appear to be a git repository", "origin", "REPOSITORY_INVALID"],
    ["fatal: detected dubious ownership in repository at '/x'", "origin", "REPOSITORY_INVALID"],
    ["warning: rejected refs/heads/main because shallow roots are not allowed to be updated", "origin", "REPOSITORY_INVALID"],
    ["fatal: transport 'ext' not allowed", "origin", "REPOSITORY_INVALID"],
    ["remote: no\n ! [remote rejected] a -> main (pre-receive hook declined)", "origin", "ORIGIN_REFUSED"],
    ["remote: error: GH006: Protected branch update failed for refs/heads/main.\n ! [remote rejected] a -> main", "origin", "ORIGIN_REFUSED"],
    [
      "remote: Permission to a/b.git denied to c.\nfatal: unable to access 'https://host/a/b/': The requested URL returned error: 403",
      "origin",
      "ORIGIN_REFUSED",
    ],
    ["fatal: bad object 1111", undefined, "GIT_FAILED"],
    ["fatal: couldn't find remote ref refs/dispatch/result/x", "node", "GIT_FAILED"],
    ["", undefined, "GIT_FAILED"],
  ] as const)("%s (%s)", (stderr, remote, code) => {
    const error = classifyGitError({ doing: "try it", stderr, exitCode: 128, ...(remote === undefined ? {} : { remote }) });
    expect(error.code).toBe(code);
    if (code !== "GIT_FAILED") expect(error.hint).toBeDefined();
  });

  test.each([
    ["origin", "ORIGIN_UNREACHABLE"],
    ["node", "NODE_UNREACHABLE"],
  ] as const)("silence of %s", (remote, code) => {
    expect(classifyGitError({ doing: "try it", remote, stderr: "", exitCode: null, timedOut: true })).toMatchObject({ code, retry: "later" });
  });
});

test.each([
  ["https://me:secret@host/x.git", "https://host/x.git"],
  ["https://token@host/x.git and ssh://git@host:22/y", "https://host/x.git and ssh://host:22/y"],
  ["https://me:p@ss@host/x", "https://host/x"],
  ["git@host:x.git", "git@host:x.git"],
  ["https://host/@scope/x", "https://host/@scope/x"],
])("credentials of %s are removed", (text, expected) => {
  expect(stripCredentials(text)).toBe(expected);
});

test("progress is not part of what was said", () => {
  const stderr =
    "Enumerating objects: 4, done.\nCounting objects:  25% (1/4)\rCounting objects: 100% (4/4), done.\nTotal 3 (delta 0), reused 0 (delta 0)\nremote: only on weekdays\nTo /x\n ! [remote rejected] a -> b (hook declined)\n";
  expect(saidBy(stderr)).toBe("remote: only on weekdays; ! [remote rejected] a -> b (hook declined)");
});
