const variable = "NODE_EXTRA_CA_CERTS";
const aside = "DISPATCH_EXTRA_CA_CERTS";

/**
 * The environment for a Node.js of ours that only has to hand the extra certificates on: it would read them all at
 * its start, which takes longer than the start itself. Set to nothing and not left out, since tmux adds what its server has.
 */
export function setCertificatesAside(env: Readonly<Record<string, string>>): Record<string, string> {
  const path = env[variable];
  return path === undefined ? { ...env } : { ...env, [variable]: "", [aside]: path };
}

/** Takes back what `setCertificatesAside` did, for the programs that this process starts. */
export function takeCertificatesBack(env: NodeJS.ProcessEnv): void {
  const path = env[aside];
  if (path === undefined) return;
  env[variable] = path;
  delete env[aside];
}
