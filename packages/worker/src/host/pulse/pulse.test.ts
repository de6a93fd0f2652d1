import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { limitWay } from "../../process/limit/limit-way.ts";
import { connectHost } from "../../test-kit/host-client.ts";
import { makeNode } from "../../test-kit/node-home.ts";
import { knownPrograms } from "./agent-programs.ts";
import { createHomeCheck } from "./check-home.ts";
import { createAgentLook, loginOf, parseVersion } from "./look-at-agents.ts";
import { parseGpus } from "./read-gpus.ts";
import { parseVmStat, readFreeMemory } from "./read-memory.ts";

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "dispatch pülse-")));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe("graphics cards", () => {
  test("are read from what nvidia-smi prints", () => {
    const text = "NVIDIA A100-SXM4-80GB, 81920, 80994, 12\nTesla T4, 15360, 15101, 0\n";
    expect(parseGpus(text)).toEqual([
      { name: "NVIDIA A100-SXM4-80GB", totalMemoryMb: 81920, freeMemoryMb: 80994, busyPercent: 12 },
      { name: "Tesla T4", totalMemoryMb: 15360, freeMemoryMb: 15101, busyPercent: 0 },
    ]);
  });

  test("that tell nothing of themselves count as 0, and what is no card is none", () => {
    expect(parseGpus("NVIDIA GB10, Rev. 2, [N/A], [N/A], [Not Supported]")).toEqual([
      { name: "NVIDIA GB10, Rev. 2", totalMemoryMb: 0, freeMemoryMb: 0, busyPercent: 0 },
    ]);
    expect(parseGpus("No devices were found\n")).toEqual([]);
    expect(parseGpus("")).toEqual([]);
  });
});

test("free memory of macOS is what it can give without swapping", async () => {
  const text =
    "Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free:                               10.\nPages active:                            500.\nPages inactive:                           20.\nPages speculative:                         3.\nPages purgeable:                           1.\n";
  expect(parseVmStat(text)).toBe(34 * 16384);
  expect(parseVmStat("nonsense")).toBeUndefined();
  expect(await readFreeMemory()).toBeGreaterThan(0);
});

test("versions are found in what programs say", () => {
  for (const [text, version] of [
    ["codex-cli 0.169.0\n", "0.169.0"],
    ["2.1.3 (Claude Code)", "2.1.3"],
    ["v1.18.33-beta.1+5", "1.18.33-beta.1+5"],
    ["\n  nightly build\n", "nightly build"],
    ["", null],
  ] as const)
    expect(parseVersion(text)).toBe(version);
});

describe("agent programs", () => {
  function program(name: string, script: string): string {
    const path = join(root, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  function environment(change: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    return { PATH: [root, "/usr/bin", "/bin"].join(delimiter), HOME: join(root, "home"), ...change };
  }

  test("are those on the PATH and those that jobs named, each asked once until its file changes", async () => {
    const count = join(root, "asked");
    const path = program("codex", `echo asked >>"${count}"; echo "codex-cli 1.2.3"`);
    program("my-agent", "echo 4.5");
    program("claude", "echo broken; exit 3");
    const look = createAgentLook("/", environment());
    look.sawCommand(["my-agent", "-p"]);
    look.sawCommand(["sh", "-c"]);
    look.sawCommand([path]);
    const expected = [
      { name: "claude", version: null, login: "no" },
      { name: "codex", version: "1.2.3", login: "unknown" },
      { name: "my-agent", version: "4.5", login: "unknown" },
    ];
    expect(await look.look()).toEqual(expected);
    expect(await look.look()).toEqual(expected);
    const asked = () => Number(spawnSync("wc", ["-l", count], { encoding: "utf8" }).stdout.split(" ")[0]);
    expect(asked()).toBe(1);
    utimesSync(path, 1, 1);
    await look.look();
    expect(asked()).toBe(2);
  });

  test("have a login where its file or a variable is there, whatever is in it", () => {
    const known = (name: string) => {
      const found = knownPrograms.find((one) => one.name === name);
      if (found === undefined) throw new Error(`${name} is not known`);
      return found;
    };
    expect(loginOf(known("gemini"), environment())).toBe("no");
    expect(loginOf(known("aider"), environment())).toBe("unknown");
    expect(loginOf(known("gemini"), environment({ GEMINI_API_KEY: "secret" }))).toBe("yes");
    expect(loginOf(known("gemini"), environment({ GEMINI_API_KEY: "" }))).toBe("no");
    for (const [name, folder, file] of [
      ["codex", "home/.codex", "auth.json"],
      ["claude", "home/.claude", ".credentials.json"],
    ] as const) {
      mkdirSync(join(root, folder), { recursive: true });
      writeFileSync(join(root, folder, file), "", { mode: 0o000 });
      expect(loginOf(known(name), environment())).toBe("yes");
    }
    expect(loginOf(known("codex"), environment({ CODEX_HOME: join(root, "elsewhere") }))).toBe("unknown");
  });
});

test("a node's folder that is gone is told as trouble", async () => {
  expect(await createHomeCheck(root)()).toMatchObject({ trouble: null });
  const gone = await createHomeCheck(join(root, "gone"))();
  expect(gone.trouble).not.toBeNull();
  expect(gone.totalDiskBytes).toBe(0);
});

function mayMount(): boolean {
  return process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "true"], { stdio: "ignore" }).status === 0;
}

test.skipIf(!mayMount())("a host whose file system becomes read-only lives on, says so, and says when it is over", async () => {
  let mounted = "";
  const node = await makeNode((home) => {
    mounted = home;
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", home]).status !== 0) throw new Error("cannot mount");
  });
  try {
    const host = await node.host();
    await host.call("hello", { cursors: {} });
    const isTold = (trouble: boolean) => () => {
      const last = host.heartbeats.at(-1);
      return last?.notify === "heartbeat" && (last.trouble !== null) === trouble && last;
    };
    expect(await host.until(isTold(false))).toMatchObject({ limits: limitWay() });
    spawnSync("mount", ["-o", "remount,ro", mounted]);
    // Has it beat at once.
    await host.call("hello", { cursors: {} });
    await host.until(isTold(true));
    expect(await host.refusal("start", { job: node.job({ n: 1 }) })).toMatchObject({ retry: "later" });
    // A controller that comes now is answered, by a new host too.
    const other = connectHost(node.bundle, node.home);
    expect((await other.call("hello", { cursors: {} })).attempts).toEqual([]);
    await other.end();
    spawnSync("mount", ["-o", "remount,rw", mounted]);
    await host.call("hello", { cursors: {} });
    await host.until(isTold(false));
    const job = node.job({ n: 1 });
    await host.call("start", { job });
    expect((await host.ended(job.attempt)).fact).toMatchObject({ outcome: { kind: "succeeded" } });
  } finally {
    spawnSync("umount", ["--lazy", mounted]);
    await node.close();
  }
});

test("a host that cannot have its folder says so to everybody who asks", async () => {
  const node = await makeNode();
  try {
    writeFileSync(join(root, "file"), "");
    const host = connectHost(node.bundle, join(root, "file", "home"));
    expect(await host.refusal("hello", { cursors: {} })).toMatchObject({ code: "NODE_FAILED", retry: "later" });
    expect(await host.refusal("ensureRepo", { project: "demo" })).toMatchObject({ code: "NODE_FAILED" });
    await host.end();
    expect(host.child.exitCode).toBe(0);
  } finally {
    await node.close();
  }
});

test("a host whose folder vanished refuses instead of telling that no attempt is there", async () => {
  const node = await makeNode();
  try {
    const host = await node.host();
    await host.call("hello", { cursors: {} });
    rmSync(node.home, { recursive: true });
    for (const answer of [host.refusal("hello", { cursors: { "demo--S01-x--1": 3 } }), host.refusal("list", { attempts: [] })]) {
      expect(await answer).toMatchObject({ code: "NODE_FAILED", retry: "later" });
    }
    expect(host.child.exitCode).toBeNull();
  } finally {
    await node.close();
  }
});
