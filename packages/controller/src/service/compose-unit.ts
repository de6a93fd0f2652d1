import { FactoryError } from "@dispatch/core";
import { factoryPaths } from "@dispatch/protocol";
import { type Service, serviceMarker } from "./describe-service.ts";
import { wantedBy } from "./manager-commands.ts";

/**
 * A systemd unit that keeps a daemon running. Sessions of agents are children of the unit and outlive it (KillMode, OOMPolicy);
 * secrets do not stand in it: what the daemon needs of them is in the environment file, when there is one.
 */
export function composeUnit({ scope, factory, dispatch, user, path }: Service): string {
  const online = scope === "system" ? ["After=network-online.target", "Wants=network-online.target"] : [];
  return `${[
    `# ${serviceMarker} for ${plain(factory)}; dispatch service uninstall removes it.`,
    "[Unit]",
    `Description=Dispatch factory ${specifiers(plain(factory))}`,
    ...online,
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=simple",
    ...(scope === "system" ? [`User=${plain(user)}`] : []),
    `WorkingDirectory=${specifiers(plain(factory))}`,
    `Environment=${quoted(`PATH=${path}`)}`,
    `EnvironmentFile=-${specifiers(plain(`${factory}/${serviceEnvironment}`))}`,
    `ExecStart=${[...dispatch, "up", "--factory", factory].map((word) => dollars(quoted(word))).join(" ")}`,
    "Restart=always",
    "RestartSec=2",
    "KillMode=process",
    "OOMPolicy=continue",
    "TasksMax=infinity",
    "TimeoutStopSec=60",
    "",
    "[Install]",
    `WantedBy=${wantedBy(scope)}`,
  ].join("\n")}\n`;
}

/** NAME=VALUE lines for the daemon, such as SSH_AUTH_SOCK; nobody has to write it. */
const serviceEnvironment = `${factoryPaths.state}/service.env`;

/** systemd ends a value at the line's end, and joins lines at a backslash. */
export function plain(text: string): string {
  if (!/\p{Cc}|\\$|^\s|\s$/u.test(text)) return text;
  throw new FactoryError("USAGE", `${JSON.stringify(text)} cannot be named in a file of the service manager`, {
    fault: "user",
    hint: "choose a folder without control characters, and without a blank or backslash at its end",
  });
}

function specifiers(text: string): string {
  return text.replaceAll("%", "%%");
}

function quoted(text: string): string {
  return `"${specifiers(plain(text)).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function dollars(text: string): string {
  return text.replaceAll("$", "$$$$");
}
