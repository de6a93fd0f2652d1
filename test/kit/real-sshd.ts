import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { childrenOf, killHard, processesWith, type ShownProcess } from "./find-processes.ts";

/** A machine of its own as far as a login can tell: a real sshd on a loopback port with its own host key and its own HOME. */
export interface SshMachine {
  readonly name: string;
  readonly home: string;
  readonly port: number;
  /** What nodes.json holds as `host_key`. */
  hostKey(): string;
  /** The processes of sshd that each serve one connection. */
  connections(): number[];
  /** Kills what serves the open connections, as a crash of the machine's network stack would look from here. */
  cut(): void;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Gives it another host key and starts it anew. */
  renewHostKey(): Promise<void>;
  /** Everything that runs on it, by its HOME. */
  processes(): ShownProcess[];
}

/** Some machines, and the SSH configuration of a person who may log in to them by name. */
export interface SshLab {
  readonly dir: string;
  readonly configFile: string;
  /** The key that all machines accept. */
  readonly key: string;
  add(name: string, options?: MachineOptions): Promise<SshMachine>;
  /** Adds lines to the SSH configuration; what stands first counts. */
  configure(text: string): void;
  /** A key pair; `passphrase` encrypts it. */
  makeKey(name: string, passphrase?: string): string;
  close(): Promise<void>;
}

export interface MachineOptions {
  /** Lines of sshd_config. */
  sshd?: readonly string[];
  path?: string;
  /** The name is not to be found in the SSH configuration. */
  unlisted?: boolean;
}

const sshdProgram = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].find((path) => existsSync(path));

export function makeSshLab(): SshLab {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "dispatch-ssh-")));
  const configFile = join(dir, "ssh_config");
  const machines: SshMachine[] = [];
  const makeKey = (name: string, passphrase = ""): string => {
    const file = join(dir, name);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", file]);
    return file;
  };
  const key = makeKey("client_key");
  const defaults = `Host *\n  UserKnownHostsFile ${join(dir, "known_hosts")}\n  IdentityFile ${key}\n  IdentitiesOnly yes\n  User ${userInfo().username}\n`;
  writeFileSync(configFile, defaults);
  writeFileSync(join(dir, "known_hosts"), "");
  const configure = (text: string): void => writeFileSync(configFile, `${text}\n${readFileSync(configFile, "utf8")}`);
  return {
    dir,
    configFile,
    key,
    configure,
    makeKey,
    async add(name, options = {}) {
      const machine = await makeMachine(dir, name, key, options);
      machines.push(machine);
      if (options.unlisted !== true) configure(`Host ${name}\n  HostName 127.0.0.1\n  Port ${machine.port}\n`);
      return machine;
    },
    async close() {
      for (const machine of machines) {
        endTmux(join(machine.home, "tmux"));
        await machine.stop();
      }
      for (const seen of processesWith(dir)) killHard(seen.pid);
      await eventually("the end of all processes", () => processesWith(dir).length === 0);
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function makeMachine(dir: string, name: string, key: string, options: MachineOptions): Promise<SshMachine> {
  if (sshdProgram === undefined) throw new Error("these tests need sshd: apt-get install openssh-server");
  // As root it wants its folder for the processes that it locks in.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const home = join(dir, name);
  mkdirSync(join(home, "tmux"), { recursive: true });
  const port = await freePort();
  const program = sshdProgram;
  let child: ChildProcess | undefined;
  writeFileSync(join(home, "authorized_keys"), readFileSync(`${key}.pub`));
  const config = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${join(home, "host_key")}`,
    `AuthorizedKeysFile ${join(home, "authorized_keys")}`,
    "StrictModes no",
    "UsePAM no",
    "PidFile none",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    `SetEnv HOME=${home} PATH=${options.path ?? process.env["PATH"]} TMUX_TMPDIR=${join(home, "tmux")}`,
    ...(options.sshd ?? []),
  ];
  writeFileSync(join(home, "sshd_config"), `${config.join("\n")}\n`);
  const makeHostKey = (): void => {
    for (const file of ["host_key", "host_key.pub"]) rmSync(join(home, file), { force: true });
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(home, "host_key")]);
    appendFileSync(join(dir, "known_hosts"), `[127.0.0.1]:${port} ${publicKey()}\n`);
  };
  const publicKey = (): string => readFileSync(join(home, "host_key.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  const connections = (): number[] => (child?.pid === undefined ? [] : childrenOf(child.pid, "sshd").map(({ pid }) => pid));
  const cut = (): void => {
    for (const pid of connections()) killHard(pid);
  };
  const start = async (): Promise<void> => {
    const log = join(home, "sshd.log");
    child = spawn(program, ["-D", "-E", log, "-f", join(home, "sshd_config")], { stdio: "ignore" });
    await eventually(`sshd at port ${port}`, () => answers(port));
  };
  const stop = async (): Promise<void> => {
    const ending = child;
    if (ending === undefined) return;
    cut();
    const ended = new Promise((resolve) => ending.once("exit", resolve));
    if (ending.exitCode === null && ending.signalCode === null) {
      ending.kill("SIGKILL");
      await ended;
    }
    child = undefined;
  };
  makeHostKey();
  await start();
  return {
    name,
    home,
    port,
    hostKey() {
      const [, fingerprint = ""] = execFileSync("ssh-keygen", ["-lf", join(home, "host_key.pub")], { encoding: "utf8" }).split(" ");
      return `${publicKey().split(" ")[0]} ${fingerprint}`;
    },
    connections,
    cut,
    stop,
    start,
    async renewHostKey() {
      await stop();
      makeHostKey();
      await start();
    },
    processes: () => processesWith(`HOME=${home} `),
  };
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

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}

function endTmux(folder: string): void {
  const sockets = join(folder, `tmux-${process.getuid?.() ?? 0}`);
  if (!existsSync(sockets)) return;
  for (const name of execFileSync("ls", [sockets], { encoding: "utf8" }).split("\n").filter(Boolean)) {
    try {
      execFileSync("tmux", ["-S", join(sockets, name), "kill-server"], { stdio: "ignore" });
    } catch {
      // It ended with its last session.
    }
  }
}
