import { expect, test } from "vitest";
import { readNodeInfo } from "./node-info.ts";

test("reads what bootstrap.sh writes", () => {
  const info = { name: "gpu-1", slots: 8, mode: "codex", labels: ["gpu"], cpus: 16, memory_mb: 64_000, gpus: 1, work_dir: "/home/me/.dispatch" };
  const more = { node: "20.20.2", git: "2.39.5", tmux: "3.3a", agents: { codex: "1.2.3" }, ssh_user: "me", host_key: "ssh-ed25519 SHA256:x" };
  expect(readNodeInfo(JSON.stringify({ ...info, ...more }), "node-info.json")).toEqual({ ...info, ...more });
});

test("says everything that is wrong with it, unknown keys included", () => {
  const text = JSON.stringify({ name: "a", slots: 0, secret: "x" });
  let facts: Readonly<Record<string, unknown>> = {};
  try {
    readNodeInfo(text, "node-info.json");
  } catch (error) {
    ({ facts } = error as { facts: Readonly<Record<string, unknown>> });
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
  }
  expect((facts["problems"] as { path: string }[]).map(({ path }) => path).sort()).toEqual(["secret", "slots"]);
});
