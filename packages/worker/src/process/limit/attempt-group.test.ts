import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { noLimits } from "@dispatch/core";
import { afterEach, describe, expect, test } from "vitest";
import { endProcesses, findMarked } from "../end-processes.ts";
import { startOf } from "../list-processes.ts";
import { type AttemptGroup, checkedGroup, enterBefore, groupName, openGroup, removeGroup } from "./attempt-group.ts";
import { groupParent, processesIn } from "./find-cgroup.ts";
import { limitWay } from "./limit-way.ts";

let token = "";
let group: AttemptGroup;

async function open(limits: Partial<typeof noLimits>): Promise<AttemptGroup> {
  token = `token ${Math.random()}`;
  group = await openGroup(token, { ...noLimits, ...limits });
  return group;
}

afterEach(async () => {
  await endProcesses({ token, ...(group.folder === null ? {} : { group: group.folder }) }, 0);
  if (group.folder !== null) removeGroup(group.folder);
});

/** What a shell command prints inside of the group, and how it ended. */
function inside(command: string): { out: string; code: number | null } {
  const [program, ...args] = enterBefore(group, ["/bin/sh", "-c", command]);
  const ended = spawnSync(program, args, { encoding: "utf8" });
  return { out: ended.stdout.trim(), code: ended.status };
}

describe("the limits of an attempt", () => {
  test("are held in the way the machine has, and what is not held is named", async () => {
    const limits = { memoryMb: 64, cpus: 0.5, processes: 20 };
    const { way, unheld, folder } = await open(limits);
    // Takes memory for good and shows whether it got it.
    const greedy = `${process.execPath} -e 'const all = []; for (let i = 0; i < 40; i++) all.push(Buffer.alloc(8 * 1024 * 1024, 1)); console.log("got it")'`;
    expect(inside(greedy)).not.toMatchObject({ out: "got it", code: 0 });
    switch (limitWay()) {
      case "cgroup":
      case "systemd":
        expect(["cgroup", "systemd"]).toContain(way);
        expect(unheld).not.toContain("memory");
        expect(readFileSync(join(folder ?? "", "memory.max"), "utf8").trim()).toBe(String(64 * 1024 * 1024));
        break;
      case "rlimit":
        expect({ way, unheld }).toEqual({ way: "rlimit", unheld: ["cpus", "processes"] });
        expect(inside("ulimit -d").out).toBe(String(64 * 1024));
        break;
      case "none":
        throw new Error("memory was limited where no way is known");
    }
  });

  test("leave an ordinary Node.js program alone", async () => {
    await open({ memoryMb: 512 });
    const program = `${process.execPath} -e 'fetch("data:text/plain,fetched").then((r) => r.text()).then(console.log)'`;
    expect(inside(program)).toEqual({ out: "fetched", code: 0 });
  });

  test("that are not asked for change nothing", async () => {
    const { unheld, dataKib, mustEnter } = await open({});
    expect({ unheld, dataKib, mustEnter }).toEqual({ unheld: [], dataKib: null, mustEnter: false });
    expect(inside('echo "$1"; ulimit -d')).toEqual({ out: "\nunlimited".trim(), code: 0 });
  });
});

test("what cleared its environment, left its session and outlived its parent is found by its group, and else by nothing", async () => {
  const { folder } = await open({});
  const [program, ...args] = enterBefore(group, ["/bin/sh", "-c", "env -i setsid sh -c 'sleep 1077 >/dev/null 2>&1 & echo $!'"]);
  const pid = Number(spawnSync(program, args, { encoding: "utf8" }).stdout.trim());
  const start = startOf(pid);
  expect(start).toBeDefined();
  if (groupParent() === undefined) {
    expect({ folder, found: findMarked({ token }) }).toEqual({ folder: null, found: [] });
    process.kill(pid, "SIGKILL");
    return;
  }
  expect(processesIn(folder ?? "")).toContain(pid);
  expect(findMarked({ token })).toEqual([]);
  await endProcesses({ token, group: folder ?? "" }, 1000);
  expect(startOf(pid)).not.toBe(start);
});

test("a group in which programs start others without end is emptied at once", async () => {
  const { folder } = await open({});
  if (folder === null) return expect(groupParent()).toBeUndefined();
  const [program, ...args] = enterBefore(group, ["/bin/sh", "-c", "trap '' TERM; while :; do env -i setsid sleep 1078 & sleep 0.01; done"]);
  const child = spawn(program, args, { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (processesIn(folder).length < 10) return;
      clearInterval(timer);
      resolve();
    }, 10);
  });
  await endProcesses({ token, group: folder }, 100);
  await ended;
  expect(processesIn(folder)).toEqual([]);
  removeGroup(folder);
  expect(existsSync(folder)).toBe(false);
});

test("only a group that its token names is taken from a file", async () => {
  const { folder } = await open({});
  if (folder === null) return expect(checkedGroup("/sys/fs/cgroup", token)).toBeUndefined();
  expect(checkedGroup(folder, token)).toBe(folder);
  expect(checkedGroup(folder, "another token")).toBeUndefined();
  expect(checkedGroup(join(folder, ".."), token)).toBeUndefined();
  expect(checkedGroup(`/tmp/${groupName(token)}`, token)).toBeUndefined();
});
