import type { Forge } from "@dispatch/core";
import { expect, test } from "vitest";
import { classifyForgeError } from "./run-forge.ts";

test.each<[string, Forge, number, string, string, string]>([
  ["no login", "gh", 4, "To get started with GitHub CLI, please run:  gh auth login", "ORIGIN_UNREACHABLE", "gh auth login"],
  ["a login that is over", "glab", 1, "glab: 401 Unauthorized (HTTP 401)", "ORIGIN_UNREACHABLE", "glab auth login"],
  ["no right to write", "gh", 1, "GraphQL: Resource not accessible by personal access token", "ORIGIN_REFUSED", "gh auth status"],
  ["no right at GitLab", "glab", 1, "glab: 403 Forbidden (HTTP 403)", "ORIGIN_REFUSED", "glab auth status"],
  ["no sight of it", "gh", 1, "GraphQL: Could not resolve to a Repository with the name 'acme/shop'.", "REPOSITORY_INVALID", "repo in dispatch.yaml"],
  ["no network", "glab", 1, "dial tcp: lookup gitlab.com: no such host", "ORIGIN_UNREACHABLE", "network"],
  ["other words", "gh", 1, "GraphQL: base branch was deleted", "ORIGIN_REFUSED", "collect again"],
])("%s is told as what it is, with the remedy", (_, forge, exitCode, stderr, code, remedy) => {
  const failure = classifyForgeError({ forge, args: [], doing: "open a pull request" }, { exitCode, stderr, timedOut: false });
  expect(failure).toMatchObject({ code, hint: expect.stringContaining(remedy), facts: { forge, exitCode } });
  expect(failure.message).toContain(stderr);
});

test("credentials in an address are not repeated", () => {
  const answer = { exitCode: 1, stderr: "Post https://ada:secret@github.com/graphql failed", timedOut: false };
  const failure = classifyForgeError({ forge: "gh", args: [], doing: "open a pull request" }, answer);
  expect(`${failure.message} ${JSON.stringify(failure.facts)}`).not.toContain("secret");
});
