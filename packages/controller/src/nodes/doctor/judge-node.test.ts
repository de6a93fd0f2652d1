import { describe, expect, it } from "vitest";
import type { Survey } from "../survey-node.ts";
import { judgeNode } from "./judge-node.ts";
import type { Look, NodeFacts } from "./node-facts.ts";

const gibi = 2 ** 30;

const survey: Survey = {
  user: "deploy",
  system: "Linux 6.1",
  shell: "/bin/bash",
  noise: [],
  workDir: { path: "/home/deploy/.dispatch", writable: true, because: null },
  freeDiskBytes: 80 * gibi,
  totalDiskBytes: 100 * gibi,
  freeInodes: 1_000_000,
  skewMs: 300,
  git: "git version 2.39.5",
  tmux: "tmux 3.3a",
  charmap: "UTF-8",
  cpus: 8,
  totalMemoryBytes: 32 * gibi,
  freeMemoryBytes: 24 * gibi,
  maxProcesses: Number.POSITIVE_INFINITY,
  maxFiles: 4096,
  programs: { codex: "/usr/bin/codex" },
};

const pulse = {
  ...{ load1: 0, cpus: 8, freeMemoryBytes: 1, totalMemoryBytes: 1, freeDiskBytes: 1, totalDiskBytes: 1, freeInodes: null, sessions: 0, gpus: [] },
  ...{ agents: [{ name: "codex", version: "1.2.3", login: "yes" as const }], usage: null, limits: "cgroup" as const, trouble: null },
};

const sound: NodeFacts = {
  node: "far",
  target: "deploy@far",
  slots: 8,
  limited: false,
  lowWater: { diskBytes: null, memoryBytes: null },
  executors: [{ name: "codex", program: "codex" }],
  address: seen({ host: "far", addresses: ["10.0.0.7"] }),
  port: seen({ port: 22, ms: 3 }),
  hostKey: seen({ pinned: "ssh-ed25519 SHA256:a", shown: "ssh-ed25519 SHA256:a" }),
  login: seen({ transport: "ssh2", ms: 90 }),
  survey: seen(survey),
  tmuxSession: seen({ ms: 20 }),
  worker: seen({ nodeVersion: "v20.20.2", bundle: "0123456789abcdef" }),
  host: seen({ ms: 80 }),
  heartbeat: seen(pulse),
  relay: seen({ ms: 300 }),
  channels: seen({ opened: 4, wanted: 4 }),
};

function seen<T>(value: T): Look<T> {
  return { kind: "seen", value };
}

function failed(because: string, facts: Readonly<Record<string, unknown>> = {}): Extract<Look<never>, { kind: "failed" }> {
  return { kind: "failed", because, hint: null, facts };
}

const skipped = { kind: "skipped", because: "something before it failed" } as const;
const late = { kind: "late", limitMs: 30_000 } as const;

/** `check level` of all that is not ok. */
function wrong(facts: NodeFacts): string[] {
  return judgeNode(facts)
    .filter(({ level }) => level === "fail" || level === "warn")
    .map(({ check, level }) => `${check} ${level}`);
}

const ofMachine = (change: Partial<Survey>): NodeFacts => ({ ...sound, survey: seen({ ...survey, ...change }) });

describe("what the facts of a node mean", () => {
  it("is nothing but ok for a sound one, in a fixed order", () => {
    expect(judgeNode(sound).map(({ check, level }) => `${check} ${level}`)).toMatchInlineSnapshot(`
      [
        "address ok",
        "port ok",
        "host-key ok",
        "login ok",
        "shell ok",
        "work-dir ok",
        "disk ok",
        "inodes ok",
        "memory ok",
        "clock ok",
        "git ok",
        "tmux ok",
        "tmux-session ok",
        "locale ok",
        "processes ok",
        "files ok",
        "node.js ok",
        "worker ok",
        "host ok",
        "git-relay ok",
        "limits ok",
        "channels ok",
        "executor codex ok",
      ]
    `);
  });

  it("has no way, key, login and channels for this machine", () => {
    const here = { kind: "skipped", because: "it is this machine" } as const;
    const facts = { ...sound, target: null, address: here, port: here, hostKey: here, login: seen({ transport: "local", ms: 0 }), channels: here };
    const checks = judgeNode(facts).map(({ check }) => check);
    for (const check of ["address", "port", "host-key", "login", "shell", "channels"]) expect(checks).not.toContain(check);
    expect(wrong(facts)).toEqual([]);
  });

  const table: readonly [string, NodeFacts, string[]][] = [
    ["no address", { ...sound, address: failed("ENOTFOUND") }, ["address fail"]],
    ["a port that says nothing", { ...sound, port: late }, ["port fail"]],
    ["a key that was never accepted", { ...sound, hostKey: seen({ pinned: null, shown: "ssh-rsa SHA256:b" }) }, ["host-key fail"]],
    ["another key", { ...sound, hostKey: seen({ pinned: "SHA256:a", shown: "ssh-ed25519 SHA256:b" }) }, ["host-key fail"]],
    ["the accepted key without its type", { ...sound, hostKey: seen({ pinned: "SHA256:a", shown: "ssh-ed25519 SHA256:a" }) }, []],
    ["a login that is refused", { ...sound, login: failed("permission denied") }, ["login fail"]],
    ["start-up files that print", ofMachine({ noise: ["welcome"] }), ["shell warn"]],
    ["a work folder nobody may write to", ofMachine({ workDir: { path: "/w", writable: false, because: "denied" } }), ["work-dir fail"]],
    ["a disk below the low water", ofMachine({ freeDiskBytes: gibi }), ["disk fail"]],
    ["a disk just above it", ofMachine({ freeDiskBytes: 2.5 * gibi }), ["disk warn"]],
    ["a small disk with a tenth free", ofMachine({ freeDiskBytes: 0.4 * gibi, totalDiskBytes: 2 * gibi }), []],
    ["a configured low water", { ...sound, lowWater: { diskBytes: 90 * gibi, memoryBytes: null } }, ["disk fail"]],
    ["few inodes", ofMachine({ freeInodes: 20_000 }), ["inodes warn"]],
    ["hardly any inodes", ofMachine({ freeInodes: 100 }), ["inodes fail"]],
    ["no limit of inodes", ofMachine({ freeInodes: null }), []],
    ["hardly any memory free", ofMachine({ freeMemoryBytes: 0.1 * gibi }), ["memory fail"]],
    ["too little memory for the slots", ofMachine({ freeMemoryBytes: gibi, totalMemoryBytes: gibi }), ["memory warn"]],
    ["a clock that is a bit off", ofMachine({ skewMs: -8000 }), ["clock warn"]],
    ["a clock that is wrong", ofMachine({ skewMs: 3_600_000 }), ["clock fail"]],
    ["an old git", ofMachine({ git: "git version 2.30.2" }), ["git fail"]],
    ["an old tmux", ofMachine({ tmux: "tmux 2.8" }), ["tmux fail"]],
    ["tmux of a development branch", ofMachine({ tmux: "tmux next-3.5" }), []],
    ["tmux of the system", ofMachine({ tmux: "tmux openbsd-7.4" }), []],
    ["a tmux that starts no session", { ...sound, tmuxSession: failed("no server") }, ["tmux-session fail"]],
    ["a locale without UTF-8", ofMachine({ charmap: "ANSI_X3.4-1968" }), ["locale warn"]],
    ["few processes", ofMachine({ maxProcesses: 100 }), ["processes warn"]],
    ["few files", ofMachine({ maxFiles: 256 }), ["files warn"]],
    ["limits nobody keeps, and none asked for", { ...sound, heartbeat: seen({ ...pulse, limits: "none" }) }, []],
    ["limits nobody keeps", { ...sound, limited: true, heartbeat: seen({ ...pulse, limits: "rlimit" }) }, ["limits warn"]],
    ["a host that does not answer", { ...sound, host: late, heartbeat: skipped, relay: skipped, channels: skipped }, ["host fail"]],
    ["no way for git", { ...sound, relay: failed("broken pipe") }, ["git-relay fail"]],
    ["few channels", { ...sound, channels: seen({ opened: 1, wanted: 4 }) }, ["channels fail"]],
    ["an agent that is not there", ofMachine({ programs: { codex: null } }), ["executor codex fail"]],
    [
      "an agent that is not logged in",
      { ...sound, heartbeat: seen({ ...pulse, agents: [{ name: "codex", version: null, login: "no" }] }) },
      ["executor codex warn"],
    ],
  ];
  it.each(table)("%s", (_, facts, expected) => {
    expect(wrong(facts)).toEqual(expected);
  });

  it("tells one cause once", () => {
    const nothing = { host: skipped, heartbeat: skipped, relay: skipped, channels: skipped };
    expect(wrong({ ...sound, ...nothing, worker: failed("no usable Node.js", { found: ["/usr/bin/node v12.0.0"] }) })).toEqual(["node.js fail"]);
    const noTmux = {
      ...ofMachine({ tmux: null }),
      ...nothing,
      tmuxSession: failed("no tmux"),
      worker: failed("it has no tmux", { missing: ["tmux"] }),
    };
    expect(wrong(noTmux)).toEqual(["tmux fail"]);
    expect(wrong({ ...sound, ...nothing, worker: failed("no space left on device") })).toEqual(["worker fail"]);
    const unreached = { ...nothing, survey: skipped, tmuxSession: skipped, worker: skipped };
    expect(wrong({ ...sound, ...unreached, port: failed("refused"), hostKey: skipped, login: skipped })).toEqual(["port fail"]);
  });

  it("has a remedy beside everything that is not ok", () => {
    for (const [, facts] of table) {
      for (const { check, level, remedy } of judgeNode(facts)) {
        expect([check, level === "ok" || level === "skip" ? remedy === null : (remedy ?? "").length > 10]).toEqual([check, true]);
      }
    }
  });
});
