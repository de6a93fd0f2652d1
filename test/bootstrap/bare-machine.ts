import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../kit/eventually.ts";

/**
 * A machine as a provider hands it over: a minimal Debian (or Ubuntu, where this machine is one) with an sshd and nothing else.
 * It lives in a tmpfs that only its own mount namespace sees, and everything in it ends with the process that holds that.
 */
export interface BareMachine {
  /** Its name in `configFile`. */
  readonly target: string;
  /** SSH configuration of somebody who may log in as root. */
  readonly configFile: string;
  /** What nodes.json holds as `host_key`. */
  readonly hostKey: string;
  /** Runs a command line there, with this on its standard input. */
  run(command: string, input?: string): Promise<{ code: number | null; stdout: string; stderr: string }>;
  close(): Promise<void>;
}

/** Why none can be made here; undefined when one can. */
export function whyNoBareMachine(): string | undefined {
  if (process.platform !== "linux") return "only Linux can hold a Debian root";
  if (process.getuid?.() !== 0) return "only root can make a Debian root";
  if (!existsSync("/etc/debian_version")) return "this machine has no apt sources to make a Debian root from";
  if (spawnSync("unshare", ["--mount", "--pid", "--fork", "true"]).status !== 0) return "no namespaces may be made";
  return undefined;
}

interface Release {
  id: string;
  suite: string;
  mirror: string;
  arch: string;
}

export async function openBareMachine(): Promise<BareMachine> {
  const tarball = cachedRoot();
  const dir = mkdtempSync(join(tmpdir(), "dispatch-bare-"));
  const root = join(dir, "root");
  mkdirSync(root);
  const key = join(dir, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const port = await freePort();
  const configFile = join(dir, "ssh_config");
  const target = "bare";
  const options = ["HostName 127.0.0.1", `Port ${port}`, "User root", `IdentityFile ${key}`, "IdentitiesOnly yes"];
  writeFileSync(configFile, `Host ${target}\n  ${[...options, `UserKnownHostsFile ${join(dir, "known_hosts")}`].join("\n  ")}\n`);
  writeMachineSettings(dir);
  const child = spawn("unshare", ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", boot, "boot", dir, tarball, String(port)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4000);
  });
  const machine = machineOf({ dir, child, target, configFile });
  try {
    const [type = "", blob = ""] = await eventually(
      "the machine",
      () => {
        if (child.exitCode !== null) throw new Error(`the machine did not start: ${said}`);
        return said.includes("Server listening") && readFileSync(join(dir, "host_key.pub"), "utf8").split(" ");
      },
      60_000,
    );
    writeFileSync(join(dir, "known_hosts"), `[127.0.0.1]:${port} ${type} ${blob}\n`);
    const [, fingerprint = ""] = execFileSync("ssh-keygen", ["-lf", join(dir, "host_key.pub")], { encoding: "utf8" }).split(" ");
    return { ...machine, hostKey: `${type} ${fingerprint}` };
  } catch (error) {
    await machine.close();
    throw error;
  }
}

function machineOf({
  dir,
  child,
  target,
  configFile,
}: Pick<BareMachine, "target" | "configFile"> & { dir: string; child: ChildProcess }): Omit<BareMachine, "hostKey"> {
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    target,
    configFile,
    run: (command, input = "") =>
      new Promise((resolve, reject) => {
        const ssh = spawn("ssh", ["-F", configFile, target, command], { stdio: ["pipe", "pipe", "pipe"] });
        let stdout = "";
        let stderr = "";
        ssh.stdout.setEncoding("utf8").on("data", (text: string) => {
          stdout += text;
        });
        ssh.stderr.setEncoding("utf8").on("data", (text: string) => {
          stderr += text;
        });
        ssh.once("error", reject);
        ssh.once("close", (code) => resolve({ code, stdout, stderr }));
        ssh.stdin.on("error", () => {}).end(input);
      }),
    async close() {
      // The first process of the namespace dies with it, hence everything in it, and the tmpfs with the last of them.
      child.kill("SIGKILL");
      await ended;
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** What apt and npm of this machine know about their way out. It is copied at run time and stands in no file of the project. */
function writeMachineSettings(dir: string): void {
  const acquire = execFileSync("apt-config", ["dump", "Acquire"], { encoding: "utf8" });
  writeFileSync(join(dir, "apt.conf"), acquire);
  const npm = (key: string): string => {
    const value = execFileSync("npm", ["config", "get", key], { encoding: "utf8", cwd: dir, stdio: ["ignore", "pipe", "ignore"] }).trim();
    return value === "undefined" || value === "null" ? "" : value;
  };
  const authorities = npm("cafile");
  const lines = [`registry=${npm("registry")}`, "update-notifier=false"];
  if (authorities !== "") {
    writeFileSync(join(dir, "authorities.crt"), readFileSync(authorities));
    lines.push("cafile=/root/authorities.crt");
  }
  writeFileSync(join(dir, "npmrc"), `${lines.join("\n")}\n`);
}

/** Runs in namespaces of its own; sshd becomes the first process of the machine. */
const boot = `
set -eu
dir=$1 tarball=$2 port=$3 root=$1/root
mount --make-rprivate /
mount -t tmpfs -o mode=755 bare "$root"
tar -xpf "$tarball" -C "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
for file in /etc/resolv.conf /etc/hosts; do [ ! -e "$file" ] || cp -L "$file" "$root/etc/"; done
cp "$dir/apt.conf" "$root/etc/apt/apt.conf.d/00machine"
cp "$dir/npmrc" "$root/root/.npmrc"
[ ! -e "$dir/authorities.crt" ] || cp "$dir/authorities.crt" "$root/root/"
mkdir -p "$root/run/sshd" "$root/root/.ssh"
cp "$dir/key.pub" "$root/root/.ssh/authorized_keys"
chmod 700 "$root/root/.ssh"
rm -f "$root"/etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -f "$root/etc/ssh/ssh_host_ed25519_key"
cp "$root/etc/ssh/ssh_host_ed25519_key.pub" "$dir/host_key.pub"
cd "$root"
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" /usr/sbin/sshd -D -e -o "ListenAddress 127.0.0.1:$port" -o "UsePAM no" -o "PidFile none"
`;

/** A bare root takes most of a minute to make, so that one is kept outside of the repository; it is made anew when it is not there. */
function cachedRoot(): string {
  const release = findRelease();
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "dispatch");
  const tarball = join(cache, `bare-1-${release.id}-${release.suite}-${release.arch}.tar`);
  if (existsSync(tarball)) return tarball;
  if (!existsSync("/usr/sbin/debootstrap")) throw new Error("this test needs debootstrap: apt-get install debootstrap");
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(join(cache, "making-"));
  try {
    const draft = join(dir, "root.tar");
    const args = ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", build, "build", dir, draft, release.suite, release.mirror];
    execFileSync("unshare", args, { stdio: ["ignore", "pipe", "pipe"], timeout: 300_000, maxBuffer: 2 ** 26 });
    renameSync(draft, tarball);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return tarball;
}

const build = `
set -eu
dir=$1 draft=$2 suite=$3 mirror=$4
mount --make-rprivate /
mkdir "$dir/root"
mount -t tmpfs -o mode=755 bare "$dir/root"
debootstrap --variant=minbase --include=openssh-server "$suite" "$dir/root" "$mirror"
umount -l "$dir/root/proc" "$dir/root/sys" 2>/dev/null || true
rm -rf "$dir/root"/var/cache/apt/archives/*.deb
tar --one-file-system -C "$dir/root" -cf "$draft" .
`;

/** The release of this machine, from the place it has its own packages from. */
function findRelease(): Release {
  const facts = Object.fromEntries(
    readFileSync("/etc/os-release", "utf8")
      .split("\n")
      .map((line) => line.split("="))
      .map(([key = "", value = ""]) => [key, value.replaceAll('"', "")]),
  );
  const id = facts["ID"] ?? "debian";
  const suite = facts["VERSION_CODENAME"] ?? "stable";
  const arch = execFileSync("dpkg", ["--print-architecture"], { encoding: "utf8" }).trim();
  const targets = execFileSync("apt-get", ["indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"], {
    encoding: "utf8",
  });
  const mirror = targets
    .split("\n")
    .map((line) => line.split(" "))
    .find(([release, component]) => release === suite && component === "main")?.[2];
  const usual = id === "ubuntu" ? "http://archive.ubuntu.com/ubuntu" : "http://deb.debian.org/debian";
  return { id, suite, arch, mirror: mirror ?? usual };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}
