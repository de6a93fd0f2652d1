import { dirname, join } from "node:path";
import type { Service, ServiceMachine } from "./describe-service.ts";

/** Program and arguments of the service manager. */
type Command = readonly string[];

/** What has the manager take a file up and start the daemon, now and after every start of the machine; anew where the file changed. */
export function startCommands(
  { manager, scope, name, file }: Service,
  { uid }: Pick<ServiceMachine, "uid">,
  { changed, loaded }: { changed: boolean; loaded: boolean },
): Command[] {
  if (manager === "systemd") {
    const start = changed ? [systemctl(scope, "enable", name), systemctl(scope, "restart", name)] : [systemctl(scope, "enable", "--now", name)];
    return [systemctl(scope, "daemon-reload"), ...start];
  }
  if (loaded && !changed) return [];
  const domain = domainOf(scope, uid);
  return [...(loaded ? [["launchctl", "bootout", `${domain}/${name}`]] : []), ["launchctl", "bootstrap", domain, file]];
}

/** What has it end the daemon and forget it. */
export function stopCommands({ manager, scope, name }: Service, { uid }: Pick<ServiceMachine, "uid">, { loaded }: { loaded: boolean }): Command[] {
  if (manager === "systemd") return [systemctl(scope, "disable", "--now", name)];
  return loaded ? [["launchctl", "bootout", `${domainOf(scope, uid)}/${name}`]] : [];
}

/** What ends a daemon whose file is gone. */
export function endCommands({ manager, scope, name }: Service, { uid }: Pick<ServiceMachine, "uid">): Command[] {
  return manager === "systemd" ? [systemctl(scope, "stop", name)] : [["launchctl", "bootout", `${domainOf(scope, uid)}/${name}`]];
}

/** Where systemd links an enabled unit; launchd has no such thing. */
export function enablingLink({ manager, scope, name, file }: Service): string | undefined {
  return manager === "systemd" ? join(dirname(file), `${wantedBy(scope)}.wants`, name) : undefined;
}

/** What starts with the machine, or with its user. */
export function wantedBy(scope: Service["scope"]): string {
  return scope === "system" ? "multi-user.target" : "default.target";
}

/** What tells it that the file is gone. */
export function forgetCommands({ manager, scope }: Service): Command[] {
  return manager === "systemd" ? [systemctl(scope, "daemon-reload")] : [];
}

/** What asks it how the daemon is. */
export function lookCommand({ manager, scope, name }: Service, { uid }: Pick<ServiceMachine, "uid">): Command {
  if (manager === "launchd") return ["launchctl", "print", `${domainOf(scope, uid)}/${name}`];
  return systemctl(scope, "show", name, "--property=LoadState,ActiveState,SubState,UnitFileState,MainPID,NRestarts");
}

function systemctl(scope: Service["scope"], ...args: readonly string[]): Command {
  return ["systemctl", ...(scope === "user" ? ["--user"] : []), ...args];
}

function domainOf(scope: Service["scope"], uid: number): string {
  return scope === "user" ? `gui/${uid}` : "system";
}
