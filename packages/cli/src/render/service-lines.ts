import type { InstalledService, ManagerOutcome, ServiceStanding } from "@dispatch/controller";
import type { HealthView } from "@dispatch/protocol";
import { ageText } from "./figures.ts";
import type { Paint } from "./paint.ts";
import type { View } from "./view.ts";

/** After `service install`: what was written, what the manager did, and what is left to a person. */
export function installedLines({ service, file, manager, lingers }: InstalledService, daemon: HealthView | undefined, paint: Paint): string[] {
  const lines = [`${file === "kept" ? paint.faint("kept") : paint.good(file)} ${service.file}`];
  if (manager.kind === "done") lines.push(`${paint.good("running")} ${service.name} is kept by ${service.manager}, also after a crash`);
  lines.push(...failureLines(manager, `${service.manager} was not told`, paint));
  if (lingers === false)
    lines.push("  it ends with your last login, and does not start with the machine, until you run", `  try: loginctl enable-linger ${service.user}`);
  if (daemon !== undefined && file === "written")
    lines.push(`  a daemon ran already (pid ${daemon.pid}); the service takes over when that ends: dispatch down; sessions go on`);
  return lines;
}

/** What is left of a service, and what its end means. */
export function removedLines({ service, file, manager }: Pick<InstalledService, "service" | "manager"> & { file: string }, paint: Paint): string[] {
  if (file === "absent") return [`there is no ${service.file}; nothing was changed`];
  return [
    `${paint.good("removed")} ${service.file}`,
    ...failureLines(manager, `${service.manager} was not told`, paint),
    "sessions go on, and are taken over at the next start",
  ];
}

function failureLines(manager: ManagerOutcome, what: string, paint: Paint): string[] {
  if (manager.kind === "done") return [];
  return [`${paint.warn("warning:")} ${what}: ${manager.because}`, ...manager.run.map((command) => `  try: ${command.join(" ")}`)];
}

/** The manager's view and the daemon's own, and whether they speak of the same process. */
export function standingLines({ service, file, manager }: ServiceStanding, daemon: HealthView | undefined, { now, paint }: View): string[] {
  const files = {
    ours: service.file,
    absent: `none (dispatch service install writes ${service.file})`,
    foreign: `${service.file}, not written by dispatch`,
  };
  return [
    `service  ${service.name}`,
    `file     ${files[file]}`,
    `manager  ${managerText({ service, manager })}`,
    `daemon   ${daemon === undefined ? paint.bad("does not answer") : `pid ${daemon.pid}, up for ${ageText(daemon.startedAt, now)}, version ${daemon.version}`}`,
    ...strangerLines(manager, daemon),
  ];
}

function managerText({ service, manager }: Pick<ServiceStanding, "service" | "manager">): string {
  switch (manager.kind) {
    case "unreachable":
      return `${service.manager} does not answer: ${manager.because}`;
    case "unknown":
      return `${service.manager} does not know it`;
    case "known": {
      const boot = manager.enabled === null ? "" : manager.enabled ? ", starts by itself" : ", does not start by itself";
      const starts =
        manager.restarts === null || manager.restarts === 0 ? "" : `, started again ${manager.restarts} ${manager.restarts === 1 ? "time" : "times"}`;
      return `${manager.state}${manager.pid === null ? "" : `, pid ${manager.pid}`}${starts}${boot}`;
    }
  }
}

function strangerLines(manager: ServiceStanding["manager"], daemon: HealthView | undefined): string[] {
  if (daemon === undefined || manager.kind !== "known" || manager.pid === daemon.pid) return [];
  return ["  the daemon that answers is not the service's; it hands over with: dispatch down"];
}
