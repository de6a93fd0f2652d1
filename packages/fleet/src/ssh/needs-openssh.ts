import { type ResolvedTarget, resolveTarget } from "./resolve-target.ts";
import type { SshAccess } from "./ssh-access.ts";

const deepest = 8;

/**
 * Why only the system's ssh can reach a target: a ProxyCommand, a PKCS#11 token or a certificate, also on the way through
 * ProxyJump, or no identity but hardware keys. Empty when ssh2 can try. What only the server knows (GSSAPI) shows when ssh2 fails.
 */
export async function needsOpenssh(target: ResolvedTarget, access: Pick<SshAccess, "configFile" | "env">, depth = 0): Promise<string[]> {
  const reasons = [...target.needsOpenssh];
  // It brings the library with it, which a factory without such nodes never needs.
  const { gatherIdentities } = await import("./identities.ts");
  const { methods, hardware } = await gatherIdentities(target);
  if (methods.length === 0) reasons.push(...hardware.map((path) => `the hardware key ${path}`));
  if (depth >= deepest) return [...reasons, `more than ${deepest} machines on the way`];
  for (const name of target.jumps) {
    const jump = await resolveTarget({ ...access, target: name });
    for (const reason of await needsOpenssh(jump, access, depth + 1)) reasons.push(`${reason} (of ${name})`);
  }
  return reasons;
}
