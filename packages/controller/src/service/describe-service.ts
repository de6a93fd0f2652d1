import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { FactoryError } from "@dispatch/core";

export type ServiceScope = "user" | "system";
export type ServiceManager = "systemd" | "launchd";

/** What is known of this machine and its user. */
export interface ServiceMachine {
  platform: string;
  uid: number;
  user: string;
  home: string;
  /** Of XDG_CONFIG_HOME. */
  configHome: string | undefined;
  /** In place of /etc and /Library; the manager itself looks there and nowhere else. */
  systemFolder: string | undefined;
  path: string;
  /** Runs a program of the service manager; a code other than 0 is an answer too. */
  run(argv: readonly string[]): Promise<{ code: number; out: string; said: string }>;
}

/** A daemon of one factory as a service manager is to keep it. */
export interface Service {
  manager: ServiceManager;
  scope: ServiceScope;
  /** `dispatch-shop-1a2b3c4d.service`, or the label of a launchd job. */
  name: string;
  file: string;
  /** Absolute. */
  factory: string;
  /** Program and first arguments of the command line, absolute. */
  dispatch: readonly string[];
  /** Who the daemon runs as. */
  user: string;
  path: string;
}

/** Says in every file that it is ours, and may be replaced or removed. */
export const serviceMarker = "Written by dispatch service install";

export interface ServiceRequest {
  factory: string;
  scope: ServiceScope;
  dispatch: readonly string[];
}

/** The service of a factory on a machine; factories of one name differ by where they lie. Throws USAGE where no manager is known. */
export function describeService({ factory, scope, dispatch }: ServiceRequest, machine: ServiceMachine): Service {
  const manager = managerOf(machine.platform);
  const words = basename(factory)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  const stem = `${words || "factory"}-${createHash("sha256").update(factory).digest("hex").slice(0, 8)}`;
  const name = manager === "systemd" ? `dispatch-${stem}.service` : `dispatch.${stem}`;
  return {
    manager,
    scope,
    name,
    file: join(folderOf(manager, scope, machine), fileName(manager, name)),
    factory,
    dispatch,
    user: machine.user,
    path: machine.path,
  };
}

function managerOf(platform: string): ServiceManager {
  if (platform === "linux") return "systemd";
  if (platform === "darwin") return "launchd";
  throw new FactoryError("USAGE", `no service manager of ${platform} is known here`, {
    fault: "user",
    hint: "have your own start: dispatch up --factory DIR, again whenever it ends",
  });
}

function fileName(manager: ServiceManager, name: string): string {
  return manager === "systemd" ? name : `${name}.plist`;
}

function folderOf(manager: ServiceManager, scope: ServiceScope, { home, configHome, systemFolder }: ServiceMachine): string {
  if (manager === "launchd") return scope === "user" ? join(home, "Library/LaunchAgents") : (systemFolder ?? "/Library/LaunchDaemons");
  return scope === "user" ? join(configHome ?? join(home, ".config"), "systemd/user") : (systemFolder ?? "/etc/systemd/system");
}
