import { FactoryError, type NodeId } from "@dispatch/core";

export interface SshFailure {
  node: NodeId;
  /** `user@host:port` for people. */
  where: string;
  /** What the transport said. */
  said: string;
  encrypted?: readonly string[];
  hardware?: readonly string[];
}

interface Rule {
  match: RegExp;
  fault: "user" | "dependency";
  hint: (failure: SshFailure) => string;
}

const rules: readonly Rule[] = [
  {
    match: /authentication methods failed|permission denied|too many authentication failures/i,
    fault: "user",
    hint: ({ encrypted = [], hardware = [] }) =>
      encrypted.length > 0
        ? `a key asks for its passphrase and no agent holds it: ssh-add ${encrypted.join(" ")}, then start the daemon with that SSH_AUTH_SOCK`
        : hardware.length > 0
          ? `only the system's ssh can use the hardware key ${hardware.join(", ")}: set "transport": "openssh"`
          : "put a public key of yours into ~/.ssh/authorized_keys of that user, or name the right key with IdentityFile in your SSH configuration",
  },
  {
    match: /ENOTFOUND|could not resolve|name or service not known|EAI_AGAIN|nodename nor servname/i,
    fault: "user",
    hint: () => "see that ssh_target in nodes.json names a machine or an alias of your SSH configuration",
  },
  {
    match: /ECONNREFUSED|connection refused/i,
    fault: "dependency",
    hint: () => "see that the machine is on and runs an SSH server at this port; it is tried again by itself",
  },
];

/** The failure of a connection as one of our codes. Pure. */
export function classifySshError(failure: SshFailure, cause?: unknown): FactoryError {
  const rule = rules.find(({ match }) => match.test(failure.said));
  return new FactoryError("NODE_UNREACHABLE", `node ${failure.node} cannot be reached at ${failure.where}: ${failure.said}`, {
    fault: rule?.fault ?? "dependency",
    retry: "later",
    hint: rule?.hint(failure) ?? "check the network; it is tried again by itself",
    facts: { node: failure.node, where: failure.where },
    cause,
  });
}
