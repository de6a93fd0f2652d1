import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { errorCode } from "@dispatch/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeService, type Service, type ServiceMachine } from "./describe-service.ts";
import { installService, uninstallService } from "./install-service.ts";
import { lookAtService, readLaunchd, readSystemd } from "./look-at-service.ts";

/** A manager that answers as a test says, and remembers what it was asked. */
let asked: string[];
let answers: (command: string) => { code: number; out?: string; said?: string };
let folder: string;
let machine: ServiceMachine;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-service-")));
  asked = [];
  answers = () => ({ code: 0 });
  machine = {
    platform: "linux",
    uid: 1000,
    user: "ada",
    home: folder,
    configHome: undefined,
    systemFolder: join(folder, "system"),
    path: "/usr/bin",
    run(argv) {
      asked.push(argv.join(" "));
      return Promise.resolve({ out: "", said: "", ...answers(argv.join(" ")) });
    },
  };
});

afterEach(() => rmSync(folder, { recursive: true }));

const serviceOf = (more: { node?: string; platform?: string; scope?: "user" | "system" } = {}): Service => {
  machine = { ...machine, platform: more.platform ?? "linux" };
  return describeService({ factory: "/srv/shop", scope: more.scope ?? "user", dispatch: [more.node ?? "/usr/bin/node", "/opt/main.js"] }, machine);
};
const managed = (): string[] => asked.filter((command) => !/show-user|print/.test(command));

describe("install with systemd", () => {
  test("writes the file, has it enabled and started, and asks whether the user lingers", async () => {
    answers = (command) => ({ code: 0, out: command.startsWith("loginctl") ? "no\n" : "" });
    const service = serviceOf();
    expect(await installService(service, machine)).toMatchObject({ file: "written", manager: { kind: "done" }, lingers: false });
    expect(readFileSync(service.file, "utf8")).toContain("Restart=always");
    expect(managed()).toEqual(["systemctl --user daemon-reload", `systemctl --user enable --now ${service.name}`]);
  });

  test("done again it changes nothing; after an upgrade the file is replaced and the daemon started anew", async () => {
    await installService(serviceOf(), machine);
    expect(await installService(serviceOf(), machine)).toMatchObject({ file: "kept", manager: { kind: "done" } });
    asked = [];
    const moved = serviceOf({ node: "/opt/node/bin/node" });
    expect(await installService(moved, machine)).toMatchObject({ file: "replaced" });
    expect(managed()).toEqual(["systemctl --user daemon-reload", `systemctl --user enable ${moved.name}`, `systemctl --user restart ${moved.name}`]);
  });

  test("of the system asks its manager, and for no lingering", async () => {
    const service = serviceOf({ scope: "system" });
    expect(await installService(service, machine)).toMatchObject({ lingers: null });
    expect(asked).toEqual(["systemctl daemon-reload", `systemctl enable --now ${service.name}`]);
    expect(dirname(service.file)).toBe(join(folder, "system"));
  });

  test("without a manager the file is there, and what to run is named from the step that failed on", async () => {
    answers = () => ({ code: 1, said: "Failed to connect to bus\nmore" });
    const service = serviceOf();
    const { manager, lingers } = await installService(service, machine);
    expect(manager).toEqual({
      kind: "failed",
      because: "Failed to connect to bus",
      run: [
        ["systemctl", "--user", "daemon-reload"],
        ["systemctl", "--user", "enable", "--now", service.name],
      ],
    });
    expect(lingers).toBeNull();
    expect(existsSync(service.file)).toBe(true);
  });
});

describe("a file of that name that somebody else wrote", () => {
  test("is neither replaced nor removed, and shows as foreign", async () => {
    const service = serviceOf();
    mkdirSync(dirname(service.file), { recursive: true });
    writeFileSync(service.file, "[Service]\nExecStart=/bin/true\n");
    for (const act of [installService, uninstallService]) expect(await act(service, machine).catch(errorCode)).toBe("NOT_ALLOWED");
    expect(asked).toEqual([]);
    expect(readFileSync(service.file, "utf8")).toBe("[Service]\nExecStart=/bin/true\n");
    expect(await lookAtService(service, machine)).toMatchObject({ file: "foreign" });
  });
});

describe("uninstall", () => {
  test("has it stopped before the file goes, and is done with where there is none", async () => {
    const service = serviceOf();
    expect(await uninstallService(service, machine)).toMatchObject({ file: "absent", manager: { kind: "done" } });
    await installService(service, machine);
    asked = [];
    answers = (command) => ({ code: command.includes("disable") && !existsSync(service.file) ? 1 : 0 });
    expect(await uninstallService(service, machine)).toMatchObject({ file: "removed", manager: { kind: "done" } });
    expect(asked).toEqual([`systemctl --user disable --now ${service.name}`, "systemctl --user daemon-reload"]);
    expect(existsSync(service.file)).toBe(false);
  });

  test("without a manager removes the file and the link that would start it, and says what ends the daemon", async () => {
    const service = serviceOf();
    await installService(service, machine);
    const link = join(dirname(service.file), "default.target.wants", service.name);
    mkdirSync(dirname(link));
    symlinkSync(service.file, link);
    answers = () => ({ code: 1, said: "no bus" });
    expect((await uninstallService(service, machine)).manager).toMatchObject({
      run: [
        ["systemctl", "--user", "stop", service.name],
        ["systemctl", "--user", "daemon-reload"],
      ],
    });
    expect([service.file, link].map((path) => existsSync(path))).toEqual([false, false]);
  });
});

describe("launchd", () => {
  test("takes a job once, another text of it anew, and lets go of it", async () => {
    let loaded = false;
    answers = (command) => {
      const [, act = ""] = command.split(" ");
      const code = (act === "bootstrap") === loaded ? 1 : 0;
      if (act !== "print") loaded = act === "bootstrap";
      return { code: act === "print" ? (loaded ? 0 : 113) : code };
    };
    const service = serviceOf({ platform: "darwin" });
    expect(await installService(service, machine)).toMatchObject({ file: "written", manager: { kind: "done" }, lingers: null });
    expect(await installService(service, machine)).toMatchObject({ file: "kept", manager: { kind: "done" } });
    expect(await installService(serviceOf({ platform: "darwin", node: "/opt/node" }), machine)).toMatchObject({
      file: "replaced",
      manager: { kind: "done" },
    });
    expect(await uninstallService(service, machine)).toMatchObject({ file: "removed", manager: { kind: "done" } });
    expect(managed()).toEqual([
      `launchctl bootstrap gui/1000 ${service.file}`,
      `launchctl bootout gui/1000/${service.name}`,
      `launchctl bootstrap gui/1000 ${service.file}`,
      `launchctl bootout gui/1000/${service.name}`,
    ]);
  });
});

describe("what managers say", () => {
  test.each([
    [
      "runs",
      "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nMainPID=42\nNRestarts=3\n",
      { running: true, pid: 42, restarts: 3, enabled: true },
    ],
    [
      "waits to be started again",
      "LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nUnitFileState=disabled\nMainPID=0\nNRestarts=9\n",
      { running: false, pid: null, restarts: 9, enabled: false },
    ],
  ])("systemd: it %s", (_word, out, facts) => {
    expect(readSystemd(0, out, "")).toMatchObject({ kind: "known", ...facts });
  });

  test("systemd that knows nothing, or cannot be asked", () => {
    expect(readSystemd(0, "LoadState=not-found\nActiveState=inactive\n", "")).toEqual({ kind: "unknown" });
    expect(readSystemd(1, "", "Failed to connect to bus")).toMatchObject({ kind: "unreachable" });
  });

  test("launchd: it runs, is not loaded, or cannot be asked", () => {
    const printed = "gui/501/dispatch.shop = {\n\tstate = running\n\n\tprogram = /usr/bin/node\n\truns = 2\n\tpid = 4711\n}\n";
    expect(readLaunchd(0, printed, "")).toMatchObject({ kind: "known", running: true, pid: 4711, restarts: 1 });
    expect(readLaunchd(113, "", "Could not find service in domain")).toEqual({ kind: "unknown" });
    expect(readLaunchd(1, "", "there is no launchctl on this machine")).toMatchObject({ kind: "unreachable" });
  });
});
