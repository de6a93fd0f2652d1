import { createHash } from "node:crypto";
import { FactoryError, type NodeId } from "@dispatch/core";

/** A server's public key. */
export interface HostKey {
  /** For example `ssh-ed25519`. */
  type: string;
  /** `SHA256:` and 43 characters, as ssh shows it. */
  fingerprint: string;
  /** In the form of the wire, which is also that of known_hosts after base64. */
  blob: Buffer;
}

export function hostKeyOf(blob: Buffer): HostKey {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  const type = blob.subarray(4, 4 + length).toString("latin1");
  return { type, fingerprint: `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`, blob };
}

/** What nodes.json holds as `host_key`. */
export function pinText({ type, fingerprint }: HostKey): string {
  return `${type} ${fingerprint}`;
}

export interface Pin {
  type: string | undefined;
  fingerprint: string;
}

export function readPin(text: string): Pin {
  const [fingerprint = "", type] = text.trim().split(/\s+/).reverse();
  return { type, fingerprint };
}

/** Throws unless the presented key is the accepted one; both are named. */
export function requirePinned(node: NodeId, pinned: string | undefined, presented: HostKey): void {
  if (pinned === undefined) {
    throw new FactoryError("NODE_FAILED", `the host key of node ${node} was not accepted yet; it shows ${pinText(presented)}`, {
      fault: "user",
      hint: `compare that with the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then write "host_key": "${pinText(presented)}" into nodes.json`,
      facts: { node, expected: null, presented: pinText(presented) },
    });
  }
  if (readPin(pinned).fingerprint === presented.fingerprint) return;
  throw new FactoryError("NODE_FAILED", `the host key of node ${node} changed: accepted was ${pinned}, it shows ${pinText(presented)}`, {
    fault: "user",
    hint: "somebody may stand in between, or the machine was installed anew; when you know that it was, replace host_key in nodes.json",
    facts: { node, expected: pinned, presented: pinText(presented) },
  });
}
