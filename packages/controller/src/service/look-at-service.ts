import { readFile } from "node:fs/promises";
import { type Service, type ServiceMachine, serviceMarker } from "./describe-service.ts";
import { lookCommand } from "./manager-commands.ts";

/** What the manager says of a service. */
export type ManagerView =
  | { kind: "unreachable"; because: string }
  | { kind: "unknown" }
  /** `state` in the manager's own word; `enabled`: it starts with the machine; null: the manager did not say. */
  | { kind: "known"; state: string; running: boolean; pid: number | null; restarts: number | null; enabled: boolean | null };

export interface ServiceStanding {
  service: Service;
  /** `foreign`: there is a file of that name which is not ours. */
  file: "ours" | "foreign" | "absent";
  manager: ManagerView;
}

/** How the manager sees the daemon of a factory. Changes nothing. */
export async function lookAtService(service: Service, machine: ServiceMachine): Promise<ServiceStanding> {
  const text = await readFile(service.file, "utf8").catch(() => undefined);
  const file = text === undefined ? "absent" : text.includes(serviceMarker) ? "ours" : "foreign";
  const { code, out, said } = await machine.run(lookCommand(service, machine));
  return { service, file, manager: service.manager === "systemd" ? readSystemd(code, out, said) : readLaunchd(code, out, said) };
}

/** `systemctl show` answers for every name, also for one that it never heard of. */
export function readSystemd(code: number, out: string, said: string): ManagerView {
  const facts = new Map(out.split("\n").map((line): [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  if (code !== 0 || !facts.has("LoadState")) return { kind: "unreachable", because: said.trim().split("\n")[0] || `systemctl ended with ${code}` };
  if (facts.get("LoadState") === "not-found") return { kind: "unknown" };
  const pid = Number(facts.get("MainPID"));
  const state = [facts.get("ActiveState"), facts.get("SubState")].filter(Boolean).join(" (");
  return {
    kind: "known",
    state: state.includes("(") ? `${state})` : state,
    running: facts.get("ActiveState") === "active",
    pid: pid > 0 ? pid : null,
    restarts: wholeOrNull(facts.get("NRestarts")),
    enabled: facts.get("UnitFileState") === undefined ? null : facts.get("UnitFileState") === "enabled",
  };
}

/** `launchctl print` fails for a job that is not loaded. */
export function readLaunchd(code: number, out: string, said: string): ManagerView {
  if (code !== 0)
    return /could not find|no such process/i.test(said + out)
      ? { kind: "unknown" }
      : { kind: "unreachable", because: said.trim() || `launchctl ended with ${code}` };
  const fact = (name: string): string | undefined => new RegExp(`^\\s*${name} = (.*)$`, "m").exec(out)?.[1];
  const pid = Number(fact("pid"));
  const runs = wholeOrNull(fact("runs"));
  const state = fact("state") ?? "loaded";
  return {
    kind: "known",
    state,
    running: state === "running",
    pid: pid > 0 ? pid : null,
    restarts: runs === null ? null : Math.max(0, runs - 1),
    enabled: true,
  };
}

function wholeOrNull(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}
