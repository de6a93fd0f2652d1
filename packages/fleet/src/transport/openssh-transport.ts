import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { lstat, mkdir } from "node:fs/promises";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { FactoryError } from "@dispatch/core";
import { classifySshError } from "../ssh/classify-ssh-error.ts";
import { requirePinned } from "../ssh/host-key.ts";
import { keepHostKey, knownHostsFile, readKnownHosts } from "../ssh/known-hosts.ts";
import { readHostKey, sshMissing } from "../ssh/read-host-key.ts";
import type { SshAccess } from "../ssh/ssh-access.ts";
import { hostKeyOptions, pipeArguments } from "../ssh/ssh-command.ts";
import { unreachable } from "../unreachable.ts";
import { createClosing } from "./closing.ts";
import { createChannelGate, openPatiently } from "./limit-channels.ts";
import { remoteCommand } from "./remote-command.ts";
import { type Preamble, skipPreamble } from "./skip-preamble.ts";
import type { Channel, ChannelEnd, Connection, Transport } from "./transport.ts";
import { uploadFile } from "./upload-file.ts";

const connectLimitMs = 45_000;
const openLimitMs = 30_000;
/** A master that stands answers at once; one that is frozen must not keep a node from being reached in another way. */
const joinLimitMs = 10_000;
/** What the system puts as a limit on the path of a socket, without what ssh adds to it while it makes one. */
const longestSocket = 80;

/** The system's ssh: one master connection, and one short-lived client of it for each channel. */
export function createOpensshTransport(access: SshAccess): Transport {
  return {
    kind: "openssh",
    async connect() {
      await requireKey(access);
      const socket = join(await socketFolder(), randomBytes(6).toString("hex"));
      return openConnection("openssh", access, socket, await startMaster(access, socket));
    },
  };
}

/**
 * A connection over a master that somebody else keeps open, whose host key is the one that their ssh accepted; undefined where
 * there is none that answers. A `cat` on it tells when it is gone; closing it leaves the master alone.
 */
export async function joinMaster(access: SshAccess, socket: string): Promise<Connection | undefined> {
  const path = socket.startsWith("~/") ? join(homedir(), socket.slice(2)) : socket;
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true) return undefined;
  const { child, preamble, failed } = startSsh(access, [...pipeArguments(access, clientOptions(path)), remoteCommand(["cat"])]);
  const began = await beginsWithin(joinLimitMs, child, preamble, failed);
  preamble.stream.resume();
  return began ? openConnection("existing", access, path, child) : undefined;
}

/** Without the master a client would connect by itself, unseen and without its limits; this way it fails. */
function clientOptions(socket: string): string[] {
  return ["ControlMaster=no", `ControlPath="${socket}"`, "ProxyJump=none", "ProxyCommand=false"];
}

/** False when it ended, or had to be ended, before it began. */
async function beginsWithin(limitMs: number, child: ChildProcess, preamble: Preamble, failed: StartedSsh["failed"]): Promise<boolean> {
  const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
  const began = await Promise.race([preamble.began, failed.then(() => false)]);
  clearTimeout(timer);
  return began;
}

/** One folder for all sockets of this user: a master removes its own socket, so that nothing is left behind. */
async function socketFolder(): Promise<string> {
  const uid = userInfo().uid;
  const folder = join(tmpdir().length < longestSocket - 40 ? tmpdir() : "/tmp", `dispatch-ssh-${uid}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0) return folder;
  throw new FactoryError("NODE_FAILED", `${folder} is not a folder of this user alone, so no connection can be kept there`, {
    fault: "user",
    hint: "remove it",
  });
}

/** ssh wants the whole key where nodes.json holds its fingerprint. What it is told to trust is checked against that each time. */
async function requireKey(access: SshAccess): Promise<void> {
  const [kept] = await readKnownHosts(knownHostsFile(access.knownHostsDir, access.node));
  if (kept !== undefined && access.hostKey?.endsWith(kept.fingerprint) === true) return;
  const key = await readHostKey(access, "openssh");
  requirePinned(access.node, access.hostKey, key);
  await keepHostKey(access.knownHostsDir, access.node, key);
}

/**
 * The master's own session is a `cat` that reads from us: when this process ends, however it does, the `cat` ends,
 * then the master, and with it everything on the node.
 */
async function startMaster(access: SshAccess, socket: string): Promise<ChildProcess> {
  const options = [...hostKeyOptions(access.node, knownHostsFile(access.knownHostsDir, access.node)), "ControlMaster=yes", `ControlPath=${socket}`];
  const { child, preamble, said, failed } = startSsh(access, [...pipeArguments(access, options), remoteCommand(["cat"])]);
  const giveUp = (): void => void child.kill("SIGKILL");
  access.signal?.addEventListener("abort", giveUp);
  child.once("close", () => access.signal?.removeEventListener("abort", giveUp));
  const began = await beginsWithin(connectLimitMs, child, preamble, failed);
  preamble.stream.resume();
  if (began) return child;
  const failure = await failed;
  if (failure instanceof Error) throw failure;
  const text = said() === "" ? preamble.said() : said();
  if (/host key verification failed|host key .* changed|REMOTE HOST IDENTIFICATION/i.test(text)) {
    requirePinned(access.node, access.hostKey, await readHostKey({ ...access, hostKey: undefined }, "openssh"));
  }
  throw classifySshError({ node: access.node, where: access.target, said: lastLine(text) });
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() || "ssh ended without a word";
}

/** `holder`: the process with whose end the connection ends. */
function openConnection(kind: Connection["kind"], access: SshAccess, socket: string, holder: ChildProcess): Connection {
  const closing = createClosing();
  const gate = createChannelGate();
  let onBytes = (): void => {};
  holder.once("close", () => closing.close("the connection was closed"));
  if (holder.exitCode !== null) closing.close("the connection was closed");
  const options = clientOptions(socket);
  const connection: Connection = {
    kind,
    async run(argv, lane) {
      const args = [...pipeArguments(access, options), remoteCommand(argv)];
      const leave = await gate.enter(lane);
      try {
        const channel = await openPatiently(() => openChannel(access, args, () => onBytes()), isRefusal);
        void channel.ended.then(leave);
        return channel;
      } catch (error) {
        leave();
        if (!(error instanceof ChannelRefused)) throw error;
        throw unreachable(access.node, closing.because() ?? `no channel could be opened: ${error.message}`);
      }
    },
    upload: (path, content) => uploadFile(connection, path, content),
    closed: closing.because,
    close() {
      closing.close("it was closed");
      holder.stdin?.end();
      holder.kill("SIGTERM");
    },
    onBytes(listener) {
      onBytes = listener;
    },
    onClose: closing.onClose,
  };
  return connection;
}

class ChannelRefused extends Error {}

function isRefusal(error: unknown): boolean {
  return error instanceof ChannelRefused && /open refused|open failed/i.test(error.message);
}

/** The mark in the output tells a command that began, and failed, from one that was never started. */
async function openChannel(access: SshAccess, args: readonly string[], onBytes: () => void): Promise<Channel> {
  const { child, preamble, said, failed } = startSsh(access, args, onBytes);
  const began = await beginsWithin(openLimitMs, child, preamble, failed);
  const { stdin, stderr } = child;
  if (!began || stdin === null || stderr === null) {
    const failure = await failed;
    throw failure instanceof Error ? failure : new ChannelRefused(said() || preamble.said() || "ssh ended without a word");
  }
  const ended = new Promise<ChannelEnd>((resolve) => {
    const answer = (code: number | null, signal: NodeJS.Signals | null): void => {
      // 255 is ssh's own word for a connection that broke.
      resolve(code === 255 ? { code: null, because: "the connection was cut" } : { code, because: signal ?? `exit code ${code}` });
    };
    child.once("close", answer);
    if (child.exitCode !== null || child.signalCode !== null) answer(child.exitCode, child.signalCode);
  });
  const kill = (): void => {
    child.kill("SIGKILL");
    preamble.stream.resume();
  };
  return { stdin, stdout: preamble.stream, stderr, ended, kill };
}

interface StartedSsh {
  child: ChildProcess;
  preamble: Preamble;
  /** The last of what it said on its error output. */
  said(): string;
  /** Settles when it ended; with an error when it could not be started. */
  failed: Promise<Error | undefined>;
}

function startSsh(access: SshAccess, args: readonly string[], onBytes?: () => void): StartedSsh {
  // In a session of its own: keys pressed in the controller's terminal are for the controller, and nothing can ask there.
  const child = spawn("ssh", args, { env: { ...access.env }, stdio: ["pipe", "pipe", "pipe"], detached: true });
  const preamble = skipPreamble(onBytes);
  let text = "";
  child.stdin.on("error", () => {});
  child.stdout.pipe(preamble.stream);
  child.stderr.on("data", (chunk: Buffer) => {
    text = (text + chunk.toString("utf8")).slice(-4000);
  });
  const failed = new Promise<Error | undefined>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ENOENT" ? sshMissing() : error));
    child.once("close", () => resolve(undefined));
  });
  return { child, preamble, said: () => text.trim(), failed };
}
