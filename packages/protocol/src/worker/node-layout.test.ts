import { expect, test } from "vitest";
import { tmuxSocketName } from "./node-layout.ts";

test("each home has its own tmux server, with a name that is safe in a path", () => {
  const names = ["/a", "/b", "/a/b", "/ä ö", "/a "].map(tmuxSocketName);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^dispatch-[0-9a-f]{16}$/);
  expect(tmuxSocketName("/a")).toBe(tmuxSocketName("/a"));
});
