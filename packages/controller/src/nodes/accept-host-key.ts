import { FactoryError } from "@dispatch/core";
import { type HostKey, pinText, readHostKey, readPin, type SshAccess } from "@dispatch/fleet";

export interface KeyDialogue {
  /** The fingerprint that the person knows, with or without its type in front; undefined: none was given. */
  fingerprint: string | undefined;
  /** Accept what is shown. */
  yes: boolean;
  /** Asks the person whether it is the right one; undefined where nobody can be asked. */
  confirm: ((shown: string) => Promise<boolean>) | undefined;
}

type Transport = Parameters<typeof readHostKey>[1];

const keyTypes = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];
const fingerprintShape = /^([a-z0-9@.-]+ )?SHA256:[A-Za-z0-9+/]{43}$/;

/**
 * Asks a machine for its host key and has it accepted; gives it as nodes.json holds it. Nothing of ours is shown to the
 * machine before. Throws NODE_FAILED when it is not the given one, and NOT_ALLOWED when nobody accepted it.
 */
export async function acceptHostKey(access: SshAccess, transport: Transport, { fingerprint, yes, confirm }: KeyDialogue): Promise<string> {
  if (fingerprint !== undefined) return await findKey(access, transport, fingerprint.trim());
  const shown = pinText(await readHostKey({ ...access, hostKey: undefined }, transport));
  if (yes || (await confirm?.(shown)) === true) return shown;
  throw new FactoryError("NOT_ALLOWED", `the host key of ${access.target} was not accepted; it shows ${shown}`, {
    fault: "user",
    hint: `compare it with the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then give it: --fingerprint ${readPin(shown).fingerprint}, or --yes to accept what is shown`,
    facts: { node: access.node, presented: shown },
  });
}

/** A server has a key of each type and shows the one that is asked for; the known one may be any of them. */
async function findKey(access: SshAccess, transport: Transport, fingerprint: string): Promise<string> {
  if (!fingerprintShape.test(fingerprint)) {
    throw new FactoryError("USAGE", `${JSON.stringify(fingerprint)} is no fingerprint of a host key`, {
      fault: "user",
      hint: "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub on the machine shows it: SHA256: and 43 characters",
    });
  }
  const wanted = readPin(fingerprint);
  const first = await readHostKey({ ...access, hostKey: wanted.type === undefined ? undefined : fingerprint }, transport);
  if (first.fingerprint === wanted.fingerprint) return pinText(first);
  const shown: HostKey[] = [first];
  for (const type of wanted.type === undefined ? keyTypes.filter((one) => one !== first.type) : []) {
    // A type that the server does not have is no key of its.
    const key = await readHostKey({ ...access, hostKey: `${type} ${wanted.fingerprint}` }, transport).catch(() => undefined);
    if (key?.fingerprint === wanted.fingerprint) return pinText(key);
    if (key !== undefined) shown.push(key);
  }
  const presented = shown.map(pinText).join(", ");
  throw new FactoryError("NODE_FAILED", `the host key of ${access.target} is not the given one: given was ${fingerprint}, it shows ${presented}`, {
    fault: "user",
    hint: "another machine answers there, or somebody stands in between; nothing was shown to it and nothing was added",
    facts: { node: access.node, expected: fingerprint, presented },
  });
}
