import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "@dispatch/core";
import { describe, expect, test } from "vitest";
import { composePlist } from "./compose-plist.ts";
import { composeUnit } from "./compose-unit.ts";
import { describeService, type ServiceMachine, type ServiceScope } from "./describe-service.ts";

const machine: ServiceMachine = {
  platform: "linux",
  uid: 1000,
  user: "ada",
  home: "/home/ada",
  configHome: undefined,
  systemFolder: undefined,
  path: "/usr/local/bin:/usr/bin:/bin",
  run: () => Promise.reject(new Error("a text needs no manager")),
};
const dispatch = ["/usr/bin/node", "/opt/dispatch/packages/cli/dist/main.js"];
const describeIt = (factory: string, scope: ServiceScope = "user", more: Partial<ServiceMachine> = {}) =>
  describeService({ factory, scope, dispatch }, { ...machine, ...more });

describe("the systemd unit", () => {
  test("of a user is what stands in the golden file", async () => {
    await expect(composeUnit(describeIt("/home/ada/factory"))).toMatchFileSnapshot("../../../../test/golden/services/user.service");
  });

  test("of the system is what stands in the golden file", async () => {
    await expect(composeUnit(describeIt("/srv/factory", "system"))).toMatchFileSnapshot("../../../../test/golden/services/system.service");
  });

  test("names folders with blanks, quotes, percent and dollar signs as systemd reads them", async () => {
    await expect(composeUnit(describeIt('/home/ada/My "100%" $HOME\\fac'))).toMatchFileSnapshot(
      "../../../../test/golden/services/odd-folder.service",
    );
  });

  test.each(["/home/ada/a\nExecStart=/bin/evil", "/home/ada/end\\", "/home/ada/end "])(
    "refuses a folder that would say something else: %j",
    (factory) => {
      expect(codeOf(() => composeUnit(describeIt(factory)))).toBe("USAGE");
    },
  );
});

describe("the launchd job", () => {
  const mac = { platform: "darwin", home: "/Users/ada" };

  test("of a user is what stands in the golden file", async () => {
    await expect(composePlist(describeIt("/Users/ada/My <&> factory", "user", mac))).toMatchFileSnapshot(
      "../../../../test/golden/services/user.plist",
    );
  });

  test("of the system is what stands in the golden file", async () => {
    await expect(composePlist(describeIt("/Users/ada/factory", "system", mac))).toMatchFileSnapshot("../../../../test/golden/services/system.plist");
  });

  test("is a property list that another program reads", () => {
    const folder = mkdtempSync(join(tmpdir(), "dispatch-plist-"));
    try {
      const service = describeIt("/Users/ada/My <&> factory", "user", mac);
      writeFileSync(join(folder, "job.plist"), composePlist(service));
      const reader = "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
      const job = JSON.parse(execFileSync("python3", ["-c", reader, join(folder, "job.plist")], { encoding: "utf8" })) as object;
      expect(job).toMatchObject({
        Label: service.name,
        ProgramArguments: [...dispatch, "up", "--factory", "/Users/ada/My <&> factory"],
        WorkingDirectory: "/Users/ada/My <&> factory",
        EnvironmentVariables: { PATH: machine.path },
        KeepAlive: true,
        RunAtLoad: true,
        AbandonProcessGroup: true,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the name of a service", () => {
  test("differs for factories of one name, and stays what it is", () => {
    const one = describeIt("/home/ada/Über Shop!");
    expect(one.name).toMatch(/^dispatch-[a-z0-9-]+-[0-9a-f]{8}\.service$/);
    expect(describeIt("/home/ada/Über Shop!").name).toBe(one.name);
    expect(describeIt("/home/eve/Über Shop!").name).not.toBe(one.name);
  });

  test("stands where its manager looks", () => {
    expect(describeIt("/f").file).toMatch(/^\/home\/ada\/\.config\/systemd\/user\/dispatch-f-/);
    expect(describeIt("/f", "user", { configHome: "/conf" }).file).toMatch(/^\/conf\/systemd\/user\//);
    expect(describeIt("/f", "system").file).toMatch(/^\/etc\/systemd\/system\//);
    expect(describeIt("/f", "user", { platform: "darwin" }).file).toMatch(/^\/home\/ada\/Library\/LaunchAgents\/dispatch\.f-.*\.plist$/);
    expect(codeOf(() => describeIt("/f", "user", { platform: "freebsd" }))).toBe("USAGE");
  });
});

function codeOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return errorCode(error);
  }
}
