import type { InstalledService, ServiceStanding } from "@dispatch/controller";
import { describe, expect, test } from "vitest";
import { plainPaint } from "./paint.ts";
import { installedLines, removedLines, standingLines } from "./service-lines.ts";

const service: InstalledService["service"] = {
  manager: "systemd",
  scope: "user",
  name: "dispatch-shop-1a2b3c4d.service",
  file: "/home/ada/.config/systemd/user/dispatch-shop-1a2b3c4d.service",
  factory: "/home/ada/shop",
  dispatch: ["/usr/bin/node", "/opt/main.js"],
  user: "ada",
  path: "/usr/bin",
};
const daemon = { version: "0.1.0", pid: 42, factory: "/home/ada/shop", startedAt: 1000 };
const view = { columns: 80, now: 61_000, paint: plainPaint, timeOf: String };
const failed = { kind: "failed" as const, because: "no bus", run: [["systemctl", "--user", "daemon-reload"]] };

describe("after an install", () => {
  test("a service that runs says where it stands, and how it survives the last login", () => {
    expect(installedLines({ service, file: "written", manager: { kind: "done" }, lingers: false }, undefined, plainPaint)).toEqual([
      `written ${service.file}`,
      `running ${service.name} is kept by systemd, also after a crash`,
      "  it ends with your last login, and does not start with the machine, until you run",
      "  try: loginctl enable-linger ada",
    ]);
  });

  test("a manager that was not told leaves its commands, and a daemon of another start its own", () => {
    const lines = installedLines({ service, file: "written", manager: failed, lingers: null }, daemon, plainPaint);
    expect(lines).toContain("  try: systemctl --user daemon-reload");
    expect(lines.at(-1)).toContain("dispatch down");
    expect(lines.join()).not.toContain("running");
  });
});

describe("the standing", () => {
  const known = { kind: "known" as const, state: "active (running)", running: true, pid: 42, restarts: 2, enabled: true };
  const lines = (manager: ServiceStanding["manager"], answer?: typeof daemon, file: ServiceStanding["file"] = "ours"): string[] =>
    standingLines({ service, file, manager }, answer, view);

  test("of a daemon that its manager keeps is told by both", () => {
    expect(lines(known, daemon)).toEqual([
      `service  ${service.name}`,
      `file     ${service.file}`,
      "manager  active (running), pid 42, started again 2 times, starts by itself",
      "daemon   pid 42, up for 1m00s, version 0.1.0",
    ]);
  });

  test("of another daemon beside it is told as that", () => {
    expect(lines({ ...known, pid: 7 }, daemon)).toHaveLength(5);
  });

  test("of nothing says what would make it something", () => {
    expect(lines({ kind: "unknown" }, undefined, "absent").join()).toContain("dispatch service install");
  });
});

test("an uninstall says what is gone, and that sessions are not", () => {
  expect(removedLines({ service, file: "removed", manager: { kind: "done" } }, plainPaint)).toHaveLength(2);
  expect(removedLines({ service, file: "absent", manager: { kind: "done" } }, plainPaint)).toHaveLength(1);
  expect(removedLines({ service, file: "removed", manager: failed }, plainPaint)).toContain("  try: systemctl --user daemon-reload");
});
