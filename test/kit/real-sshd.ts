import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { type CuttableLink, makeCuttableLink } from "./cuttable-link.ts";
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
  /** The way to it, where it was added with `linked`. */
  readonly link: CuttableLink | undefined;
  /** Kills what serves the open connections, as a crash of the machine's network stack would look from here. */
  cut(): void;
  /** Stops (SIGSTOP) what serves the open connections, or lets it go on. */
  hang(stopped: boolean): void;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Gives it another host key and starts it anew. */
  renewHostKey(): Promise<void>;
  /** Gives it the key back that it had before the last `renewHostKey`, and starts it anew. */
  restoreHostKey(): Promise<void>;
  /** Everything that runs on it, by its HOME. */
  processes(): ShownProcess[];
  /** The worker programs that serve a controller there. */
  hosts(): ShownProcess[];
  /** Its tmux servers. */
  tmuxServers(): number[];
  /** Where it was added with `reboots`. */
  bootId(): string;
  /** Ends everything on it at once, as a power cut does. After `start` it has another boot id, if it was added with `reboots`. */
  powerOff(): Promise<void>;
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
  /** Ends the machines and everything on them. */
  end(): Promise<void>;
  /** Removes what they left. */
  remove(): void;
  /** Both. */
  close(): Promise<void>;
}

export interface MachineOptions {
  /** Lines of sshd_config. */
  sshd?: readonly string[];
  path?: string;
  /** The name is not to be found in the SSH configuration. */
  unlisted?: boolean;
  /** Reached by its name through a link that can be cut. */
  linked?: boolean;
  /** Its boot id is its own and another one after each `powerOff`. Takes root, for a mount that nobody else sees. */
  reboots?: boolean;
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
  const end = async (): Promise<void> => {
    for (const machine of machines) {
      endTmux(join(machine.home, "tmux"));
      await machine.stop();
      await machine.link?.close();
    }
    for (const seen of processesWith(dir)) killHard(seen.pid);
    await eventually("the end of all processes", () => processesWith(dir).length === 0);
  };
  const remove = (): void => rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  return {
    dir,
    configFile,
    key,
    configure,
    makeKey,
    async add(name, options = {}) {
      const machine = await makeMachine(dir, name, key, options);
      machines.push(machine);
      if (options.unlisted !== true) configure(`Host ${name}\n  HostName 127.0.0.1\n  Port ${machine.link?.port ?? machine.port}\n`);
      return machine;
    },
    end,
    remove,
    async close() {
      await end();
      remove();
    },
  };
}

async function makeMachine(dir: string, name: string, key: string, options: MachineOptions): Promise<SshMachine> {
  if (sshdProgram === undefined) throw new Error("these tests need sshd: apt-get install openssh-server");
  if (options.reboots === true && process.getuid?.() !== 0) throw new Error("a machine with a boot id of its own takes a mount, and so root");
  // As root it wants its folder for the processes that it locks in.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const home = join(dir, name);
  mkdirSync(join(home, "tmux"), { recursive: true });
  const port = await freePort();
  const link = options.linked === true ? await makeCuttableLink(port) : undefined;
  writeFileSync(join(home, "authorized_keys"), readFileSync(`${key}.pub`));
  writeFileSync(join(home, "sshd_config"), sshdConfig(home, port, options));
  const keys = hostKeysOf(home, (publicKey) => {
    for (const shown of [port, ...(link === undefined ? [] : [link.port])]) {
      appendFileSync(join(dir, "known_hosts"), `[127.0.0.1]:${shown} ${publicKey}\n`);
    }
  });
  const server = serverOf(home, port, options.reboots === true);
  const anew = async (act: () => void): Promise<void> => {
    await server.stop();
    act();
    await server.start();
  };
  const processes = (): ShownProcess[] => processesWith(`HOME=${home}`).filter(({ env }) => env.split(" ").includes(`HOME=${home}`));
  keys.make();
  server.boot();
  await server.start();
  return {
    name,
    home,
    port,
    link,
    hostKey: keys.shown,
    ...server,
    renewHostKey: () => anew(keys.make),
    restoreHostKey: () => anew(keys.restore),
    processes,
    hosts: () => processes().filter(({ args }) => /^\S+ \S+\.mjs host --home /.test(args)),
    tmuxServers: () => tmuxServersIn(join(home, "tmux")),
    async powerOff() {
      await server.stop();
      await eventually(`the end of all on ${name}`, () => {
        const left = processes();
        for (const { pid } of left) killHard(pid);
        return left.length === 0;
      });
      server.boot();
    },
  };
}

function sshdConfig(home: string, port: number, options: MachineOptions): string {
  const lines = [
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
  return `${lines.join("\n")}\n`;
}

/** The machine's host key in its files, and the one that it had before. */
function hostKeysOf(home: string, onMade: (publicKey: string) => void): { make(): void; restore(): void; shown(): string } {
  const file = join(home, "host_key");
  const ends = ["", ".pub"];
  const publicKey = (): string => readFileSync(`${file}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
  return {
    make() {
      for (const end of ends) if (existsSync(file + end)) renameSync(file + end, `${file}_before${end}`);
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
      onMade(publicKey());
    },
    restore() {
      for (const end of ends) renameSync(`${file}_before${end}`, file + end);
    },
    shown() {
      const [, fingerprint = ""] = execFileSync("ssh-keygen", ["-lf", `${file}.pub`], { encoding: "utf8" }).split(" ");
      return `${publicKey().split(" ")[0]} ${fingerprint}`;
    },
  };
}

type Server = Pick<SshMachine, "connections" | "cut" | "hang" | "stop" | "start" | "bootId"> & {
  /** The next start is one after a boot. */
  boot(): void;
};

/** What a boot id is read from; the mount over it is seen by sshd and by all that it starts, and by nobody else. */
const underOwnBootId = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';

function serverOf(home: string, port: number, reboots: boolean): Server {
  let child: ChildProcess | undefined;
  const bootId = join(home, "boot_id");
  const argv = [sshdProgram ?? "sshd", "-D", "-E", join(home, "sshd.log"), "-f", join(home, "sshd_config")];
  const [program = "", ...args] = reboots ? ["unshare", "--mount", "--propagation", "slave", "sh", "-c", underOwnBootId, bootId, ...argv] : argv;
  const connections = (): number[] => (child?.pid === undefined ? [] : childrenOf(child.pid, "sshd").map(({ pid }) => pid));
  const cut = (): void => {
    for (const pid of connections()) killHard(pid);
  };
  return {
    connections,
    cut,
    hang(stopped) {
      for (const pid of connections()) process.kill(pid, stopped ? "SIGSTOP" : "SIGCONT");
    },
    boot: () => writeFileSync(bootId, `${randomUUID()}\n`),
    bootId: () => readFileSync(bootId, "utf8").trim(),
    async start() {
      child = spawn(program, args, { stdio: "ignore" });
      await eventually(`sshd at port ${port}`, () => answers(port));
    },
    async stop() {
      const ending = child;
      if (ending === undefined) return;
      cut();
      const ended = new Promise((resolve) => ending.once("exit", resolve));
      if (ending.exitCode === null && ending.signalCode === null) {
        ending.kill("SIGKILL");
        await ended;
      }
      child = undefined;
    },
  };
}

/** Below the ports that the system gives to connections, so that none of them takes it while its sshd is stopped. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(16_000, 32_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
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

function tmuxSockets(folder: string): string[] {
  const sockets = join(folder, `tmux-${process.getuid?.() ?? 0}`);
  return existsSync(sockets) ? readdirSync(sockets).map((name) => join(sockets, name)) : [];
}

function tmuxServersIn(folder: string): number[] {
  return tmuxSockets(folder).flatMap((socket) => {
    try {
      const asked = ["-S", socket, "display-message", "-p", "#{pid}"];
      const pid = Number(execFileSync("tmux", asked, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
      return pid > 0 ? [pid] : [];
    } catch {
      return [];
    }
  });
}

function endTmux(folder: string): void {
  for (const socket of tmuxSockets(folder)) {
    try {
      execFileSync("tmux", ["-S", socket, "kill-server"], { stdio: "ignore" });
    } catch {
      // It ended with its last session.
    }
  }
}
