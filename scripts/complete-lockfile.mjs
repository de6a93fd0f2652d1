import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readJson, repositoryRoot } from "./repository-files.mjs";

/**
 * `npm ci` refuses a lockfile that lacks an optional package of another platform, and `npm install` leaves
 * such packages out when its registry does not serve them. This adds them: the version is the one that the
 * depending package pins, the platform is in the name. npm fills in the integrity where it can fetch them.
 */

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos"];
const processors = ["arm64", "arm", "ia32", "x64", "loong64", "mips64el", "ppc64", "riscv64", "s390x"];

/** Optional packages that some package of the lockfile asks for and the lockfile does not hold, with the place they belong to. */
export function missingOptional(packages) {
  const found = new Map();
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!/^\d/.test(version) || holds(packages, path, name, version)) continue;
      const top = `node_modules/${name}`;
      const place = (packages[top] ?? found.get(top)?.entry)?.version === undefined ? top : `${path}/${top}`;
      found.set(place, { place, entry: entryOf(name, version, entry) });
    }
  }
  return [...found.values()];
}

function holds(packages, path, name, version) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    const place = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[place] !== undefined) return packages[place].version === version;
    if (folder === "" || !folder.includes("/node_modules/")) return packages[`node_modules/${name}`]?.version === version;
  }
}

function entryOf(name, version, parent) {
  const words = name.split(/[/-]/);
  const os = words.includes("windows") ? "win32" : words.includes("win32") ? "win32" : systems.find((system) => words.includes(system));
  const cpu = words.includes("64") ? "x64" : processors.find((processor) => words.includes(processor));
  const libc = words.some((word) => word.startsWith("musl")) ? "musl" : words.includes("gnu") || words.includes("gnueabihf") ? "glibc" : undefined;
  return {
    version,
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(parent.dev ? { dev: true } : {}),
    ...(libc === undefined || os !== "linux" ? {} : { libc: [libc] }),
    optional: true,
    ...(os === undefined ? {} : { os: [os] }),
  };
}

if (process.argv[1] === import.meta.filename) {
  const lockfile = readJson(repositoryRoot, "package-lock.json");
  const missing = missingOptional(lockfile.packages);
  for (const { place, entry } of missing) {
    lockfile.packages[place] = entry;
    console.log(`added ${place} ${entry.version} ${entry.os ?? "any system"} ${entry.cpu ?? "any processor"} ${entry.libc ?? ""}`);
  }
  const [[root, own], ...others] = Object.entries(lockfile.packages);
  others.sort(([a], [b]) => a.localeCompare(b, "en"));
  lockfile.packages = { [root]: own, ...Object.fromEntries(others) };
  writeFileSync(join(repositoryRoot, "package-lock.json"), `${JSON.stringify(lockfile, null, 2)}\n`);
}
