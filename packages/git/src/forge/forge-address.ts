import type { Forge } from "@dispatch/core";

/** A repository as a forge names it. */
export interface ForgeAddress {
  host: string;
  /** `owner/name`, at GitLab with all groups. */
  path: string;
}

const patterns = [
  /^(?:https?|git):\/\/(?:[^/@]*@)?(?<host>[^/@]+)\/(?<path>.+)$/i,
  // The port of an SSH address is not the port of the forge's own address.
  /^(?:ssh|git\+ssh):\/\/(?:[^/@]*@)?(?<host>[^/@:]+)(?::\d+)?\/(?<path>.+)$/i,
  /^(?:[^/@:]+@)?(?<host>[^/@:]+):(?!\/\/)\/?(?<path>.+)$/,
];

/** What a forge calls the repository at this address; undefined for a folder, and for what names no owner. */
export function forgeAddress(repo: string): ForgeAddress | undefined {
  for (const pattern of patterns) {
    const { host, path } = pattern.exec(repo)?.groups ?? {};
    if (host === undefined || path === undefined) continue;
    const name = path.replace(/\/+$/, "").replace(/\.git$/i, "");
    return /^[\w.-]+(\/[\w.-]+)+$/.test(name) ? { host: host.toLowerCase(), path: name } : undefined;
  }
  return undefined;
}

/** The program that opens pull requests at this address, as far as the host's name tells. */
export function findForge(repo: string): Forge | undefined {
  const host = forgeAddress(repo)?.host ?? "";
  if (/(^|[.-])github\./.test(host)) return "gh";
  return /(^|[.-])gitlab\./.test(host) ? "glab" : undefined;
}
