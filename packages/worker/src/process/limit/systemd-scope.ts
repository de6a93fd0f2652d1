import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { askProgram } from "../ask-program.ts";
import { allowedEnvironment } from "../environment.ts";
import { unifiedHierarchy } from "./find-cgroup.ts";
import { runtimeFolder } from "./limit-way.ts";

const patienceMs = 5000;

/**
 * Has the user's service manager put this process into a scope of its own, and gives the scope's group, which is this process's to
 * divide: it moves itself into a group below, so that the attempt gets one beside it. Undefined: the manager did not.
 */
export async function enterScope(name: string): Promise<string | undefined> {
  const unit = `dispatch-${name}.scope`;
  const manager = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "StartTransientUnit"];
  const properties = ["3", "PIDs", "au", "1", String(process.pid), "Delegate", "b", "true", "CollectMode", "s", "inactive-or-failed"];
  const argv = ["busctl", "--user", "call", ...manager, "ssa(sv)a(sa(sv))", unit, "fail", ...properties, "0"] as const;
  const env = { ...allowedEnvironment(), XDG_RUNTIME_DIR: runtimeFolder(), DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtimeFolder()}/bus` };
  const answer = await askProgram({ argv: ["busctl", ...argv.slice(1)], cwd: "/", env, timeoutMs: patienceMs });
  if (answer?.code !== 0) return undefined;
  const scope = await ownGroup(unit);
  if (scope === undefined) return undefined;
  const mine = join(scope, "wrapper");
  mkdirSync(mine, { recursive: true });
  writeFileSync(join(mine, "cgroup.procs"), String(process.pid));
  return scope;
}

/** The manager answers before it has acted. */
async function ownGroup(unit: string): Promise<string | undefined> {
  for (const begin = performance.now(); performance.now() - begin < patienceMs; ) {
    const own = unifiedHierarchy()?.own;
    if (own?.endsWith(`/${unit}`)) return own;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return undefined;
}
