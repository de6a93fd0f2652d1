import type { NodeId } from "@dispatch/core";
import { hostAlias, knownHostsFile } from "./known-hosts.ts";
import { requireTarget } from "./parse-target.ts";
import type { SshAccess } from "./ssh-access.ts";

/** Newer than the oldest ssh that is met, or compiled out of some. */
const mayBeUnknown = ["SessionType", "StdinNull", "ForkAfterAuthentication", "KnownHostsCommand", "EnableEscapeCommandline"];

/** Options that make the system's ssh a plain pipe to a node, whatever else the user's configuration asks for. */
const plainOptions: readonly string[] = [
  "BatchMode=yes",
  "ClearAllForwardings=yes",
  "ForwardAgent=no",
  "ForwardX11=no",
  "PermitLocalCommand=no",
  "RemoteCommand=none",
  "SessionType=default",
  "StdinNull=no",
  "ForkAfterAuthentication=no",
  "EscapeChar=none",
  "UpdateHostKeys=no",
  "LogLevel=ERROR",
  "ControlPersist=no",
  "ServerAliveInterval=30",
  "ServerAliveCountMax=3",
];

/** Options that accept the key that lies in this file and no other. */
export function hostKeyOptions(node: NodeId, file: string): string[] {
  return [
    "StrictHostKeyChecking=yes",
    knownHostsOption(file),
    "GlobalKnownHostsFile=/dev/null",
    "KnownHostsCommand=none",
    "VerifyHostKeyDNS=no",
    "CheckHostIP=no",
    "NoHostAuthenticationForLocalhost=no",
    `HostKeyAlias=${hostAlias(node)}`,
  ];
}

/** ssh takes percent signs of a path for tokens of its own. */
export function knownHostsOption(file: string): string {
  return `UserKnownHostsFile="${file.replaceAll("%", "%%")}"`;
}

/** Arguments of the system's ssh up to the host; a command may follow. The first of equal options wins. */
export function sshArguments(access: Pick<SshAccess, "target" | "configFile">, options: readonly string[], flags: readonly string[] = []): string[] {
  const { host, user, port } = requireTarget(access.target);
  return [
    ...(access.configFile === undefined ? [] : ["-F", access.configFile]),
    ...[`IgnoreUnknown=${mayBeUnknown.join(",")}`, ...options].flatMap((option) => ["-o", option]),
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...flags,
    "--",
    host,
  ];
}

export function pipeArguments(access: Pick<SshAccess, "target" | "configFile">, options: readonly string[]): string[] {
  return sshArguments(access, [...options, ...plainOptions], ["-T"]);
}

/** What shows a session of the node to a person: a connection of its own, with a terminal. */
export function terminalCommand(access: SshAccess, command: string): string[] {
  const options = hostKeyOptions(access.node, knownHostsFile(access.knownHostsDir, access.node));
  return ["ssh", ...sshArguments(access, [...options, "LogLevel=ERROR"], ["-t"]), command];
}
