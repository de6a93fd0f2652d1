import { execFileSync, spawnSync } from "node:child_process";

/** What a program of the system says of its version; installed with apt-get where it is missing, which is said. */
export function ensureProgram(program: string, debianPackage: string, say: (line: string) => void): string {
  const look = () => spawnSync(program, ["--version"], { encoding: "utf8" });
  if (look().status !== 0) {
    const command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", debianPackage];
    const [first = "", ...args] = process.getuid?.() === 0 ? command : ["sudo", ...command];
    say(`${program} is not here; installing it: ${[first, ...args].join(" ")}`);
    // A package must not start a server of its own; a benchmark starts one on a free loopback port.
    execFileSync(first, args, { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" } });
  }
  const found = look();
  if (found.status !== 0) throw new Error(`${program} could not be installed`);
  return found.stdout.trim();
}
