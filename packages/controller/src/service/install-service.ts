import { mkdir, readFile, readlink, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { FactoryError } from "@dispatch/core";
import { classifySystemError } from "../classify-system-error.ts";
import { writeBeside } from "../factory/write-beside.ts";
import { composePlist } from "./compose-plist.ts";
import { composeUnit } from "./compose-unit.ts";
import { type Service, type ServiceMachine, serviceMarker } from "./describe-service.ts";
import { enablingLink, endCommands, forgetCommands, lookCommand, startCommands, stopCommands } from "./manager-commands.ts";

type Commands = readonly (readonly string[])[];

/** What became of a call of the service manager; `failed`: why, and what to run by hand. */
export type ManagerOutcome = { kind: "done" } | { kind: "failed"; because: string; run: Commands };

export interface InstalledService {
  service: Service;
  file: "written" | "replaced" | "kept";
  manager: ManagerOutcome;
  /** Without it a user's services end with the user's last login; null: that is not known, or of no concern. */
  lingers: boolean | null;
}

/** Writes the file of a service and has the manager start it. Throws NOT_ALLOWED for a file that is not ours. */
export async function installService(service: Service, machine: ServiceMachine): Promise<InstalledService> {
  const text = service.manager === "systemd" ? composeUnit(service) : composePlist(service);
  const before = await ownText(service);
  const changed = before !== undefined && before !== text;
  if (before !== text) await replaceText(service.file, text);
  const commands = startCommands(service, machine, { changed, loaded: await isLoaded(service, machine) });
  return {
    service,
    file: changed ? "replaced" : before === undefined ? "written" : "kept",
    manager: await runAll(commands, machine),
    lingers: await lingers(service, machine),
  };
}

export interface RemovedService {
  service: Service;
  file: "removed" | "absent";
  manager: ManagerOutcome;
}

/** Has the manager end the service and removes its file; sessions of agents go on. Throws NOT_ALLOWED for a file that is not ours. */
export async function uninstallService(service: Service, machine: ServiceMachine): Promise<RemovedService> {
  if ((await ownText(service)) === undefined) return { service, file: "absent", manager: { kind: "done" } };
  const stopped = await runAll(stopCommands(service, machine, { loaded: await isLoaded(service, machine) }), machine);
  await removeFiles(service);
  if (stopped.kind === "done") return { service, file: "removed", manager: await runAll(forgetCommands(service), machine) };
  // It may keep a daemon all the same; its file is no longer there to disable.
  const run = [...endCommands(service, machine), ...forgetCommands(service)];
  return { service, file: "removed", manager: { ...stopped, run } };
}

/** The file, and the link to it by which systemd starts it: systemd removes that itself, when it can be asked. */
async function removeFiles(service: Service): Promise<void> {
  const link = enablingLink(service);
  try {
    if (link !== undefined && (await readlink(link).catch(() => undefined)) === service.file) await rm(link);
    await rm(service.file);
  } catch (error) {
    throw refusal(service.file, error);
  }
}

/** systemd takes what is loaded already for done; launchd does not. */
async function isLoaded(service: Service, machine: ServiceMachine): Promise<boolean> {
  return service.manager === "launchd" && (await machine.run(lookCommand(service, machine))).code === 0;
}

/** The text of the service's file; undefined when there is none. */
async function ownText({ file }: Service): Promise<string | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw refusal(file, error);
  });
  if (text === undefined || text.includes(serviceMarker)) return text;
  throw new FactoryError("NOT_ALLOWED", `${file} was not written by dispatch service install, and is left as it is`, {
    fault: "user",
    hint: "move it away, then run the same command again",
    facts: { file },
  });
}

async function replaceText(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    (await writeBeside(file, text)).swap();
  } catch (error) {
    throw refusal(file, error);
  }
}

function refusal(file: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") return classifySystemError(error);
  return new FactoryError("NOT_ALLOWED", `${file} cannot be changed: ${code}`, {
    fault: "user",
    hint: "a service of the system needs root (sudo); without --system it is one of your own",
    facts: { file },
    cause: error,
  });
}

/** Runs them in order; the first that fails and those after it are for a person. */
async function runAll(commands: Commands, { run }: ServiceMachine): Promise<ManagerOutcome> {
  for (const [n, command] of commands.entries()) {
    const { code, said } = await run(command);
    if (code !== 0) return { kind: "failed", because: said.trim().split("\n")[0] || `${command[0]} ended with ${code}`, run: commands.slice(n) };
  }
  return { kind: "done" };
}

async function lingers({ manager, scope, user }: Service, { run }: ServiceMachine): Promise<boolean | null> {
  if (manager !== "systemd" || scope !== "user") return null;
  const { code, out } = await run(["loginctl", "show-user", user, "--property=Linger", "--value"]);
  const answer = out.trim();
  return code === 0 && (answer === "yes" || answer === "no") ? answer === "yes" : null;
}
