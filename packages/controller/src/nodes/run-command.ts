import { randomBytes } from "node:crypto";
import { constants } from "node:os";
import { type Readable, Transform, type Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { FactoryError } from "@dispatch/core";
import type { Channel, Connection } from "@dispatch/fleet";
import { endScript, superviseCommand, superviseInput } from "./supervise-script.ts";

export interface CommandRun {
  /** Program and arguments, as they are to arrive. */
  argv: readonly string[];
  timeoutSeconds: number;
  /** Undefined: the command finds the end of its input at once. */
  stdin: Readable | undefined;
  stdout: Writable;
  stderr: Writable;
  /** Ends the command. */
  signal: AbortSignal;
}

/** How a command came to its end; `code` as a shell counts it, 128 and the number of a signal. */
export type CommandEnd = { kind: "exited"; code: number } | { kind: "timed-out" } | { kind: "interrupted" };

type Ended = Awaited<Channel["ended"]>;

/** The node's own clock for the time limit runs this much longer, in seconds: it is for when the link is gone. */
const graceSeconds = 5;
const endLimitMs = 10_000;

/**
 * Runs a command over a connection with its streams kept apart. At the time limit, or when the signal says so,
 * everything it started is ended there. Rejects with NODE_UNREACHABLE when the link was cut.
 */
export async function runCommand(connection: Connection, run: CommandRun): Promise<CommandEnd> {
  checkArguments(run.argv);
  const token = randomBytes(16).toString("hex");
  const channel = await connection.run(superviseCommand, "short");
  const output = withoutFirstLine(channel.stdout);
  const stop = waitForStop(run);
  const ended = finish(run, channel, output);
  channel.stdin.on("error", () => {});
  channel.stdin.write(superviseInput(run.argv, token, Math.ceil(run.timeoutSeconds) + graceSeconds));
  if (run.stdin === undefined) channel.stdin.end();
  else run.stdin.pipe(channel.stdin);
  try {
    const first = await Promise.race([ended, stop.stopped]);
    if (typeof first === "object") return await exitOf(connection, first);
    await endThere(connection, output.firstLine, token, ended);
    channel.kill();
    return { kind: first };
  } finally {
    stop.release();
    run.stdin?.unpipe(channel.stdin);
  }
}

function checkArguments(argv: readonly string[]): void {
  const [program = ""] = argv;
  const wrong = argv.some((word) => word.includes("\0")) ? "an argument holds a NUL" : undefined;
  const because = program === "" ? "no command is named" : program.startsWith("-") ? `${program} is no program` : wrong;
  if (because === undefined) return;
  throw new FactoryError("USAGE", because, { fault: "user", hint: "dispatch node exec NAME -- PROGRAM ARGUMENTS…" });
}

/** All that it printed is out before its end counts. */
async function finish(run: CommandRun, channel: Channel, output: FirstLine): Promise<Ended> {
  output.rest.pipe(run.stdout, { end: false });
  channel.stderr.pipe(run.stderr, { end: false });
  const read = Promise.all([output.rest, channel.stderr].map((stream) => finished(stream, { writable: false }).catch(() => undefined)));
  const end = await channel.ended;
  await read;
  return end;
}

function waitForStop({ timeoutSeconds, signal }: CommandRun): { stopped: Promise<"timed-out" | "interrupted">; release(): void } {
  let release = (): void => {};
  const stopped = new Promise<"timed-out" | "interrupted">((resolve) => {
    const timer = setTimeout(() => resolve("timed-out"), timeoutSeconds * 1000);
    const interrupt = (): void => resolve("interrupted");
    if (signal.aborted) interrupt();
    signal.addEventListener("abort", interrupt, { once: true });
    release = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", interrupt);
    };
  });
  return { stopped, release };
}

/**
 * Waits for the group to be told, which comes before anything the command says. A link that no longer carries anything is not
 * waited for; the node's own clock ends the command then.
 */
async function endThere(connection: Connection, told: Promise<string>, token: string, ended: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, endLimitMs);
  });
  const end = async (): Promise<void> => {
    const group = await Promise.race([told, ended.then(() => "")]);
    if (!/^\d+$/.test(group)) return;
    const channel = await connection.run(["sh"], "short");
    channel.stdout.resume();
    channel.stderr.resume();
    channel.stdin.on("error", () => {});
    channel.stdin.end(endScript(Number(group), token));
    await channel.ended;
    await ended;
  };
  await Promise.race([end().catch(() => undefined), limit]);
  clearTimeout(timer);
}

/** The system's ssh says 255 for a cut connection as well as for a command that said so. */
async function exitOf(connection: Connection, { code, because }: Ended): Promise<CommandEnd> {
  if (code !== null) return { kind: "exited", code };
  if (connection.kind !== "ssh2" && connection.kind !== "local" && (await stands(connection))) return { kind: "exited", code: 255 };
  const signal = Object.entries(constants.signals).find(([name]) => name === because || name === `SIG${because}`);
  if (signal !== undefined && connection.closed() === undefined) return { kind: "exited", code: 128 + signal[1] };
  throw new FactoryError("NODE_UNREACHABLE", `the link was cut while the command ran: ${connection.closed() ?? because}`, {
    fault: "dependency",
    retry: "later",
    hint: "it may still run there until its time is over",
  });
}

async function stands(connection: Connection): Promise<boolean> {
  if (connection.closed() !== undefined) return false;
  try {
    const channel = await connection.run(["true"], "short");
    channel.stdout.resume();
    channel.stderr.resume();
    channel.stdin.on("error", () => {}).end();
    return (await channel.ended).code === 0;
  } catch {
    return false;
  }
}

interface FirstLine {
  rest: Readable;
  firstLine: Promise<string>;
}

/** A stream without its first line. */
function withoutFirstLine(stream: Readable): FirstLine {
  let tell: (line: string) => void = () => {};
  const firstLine = new Promise<string>((resolve) => {
    tell = resolve;
  });
  let told = false;
  let before = Buffer.alloc(0);
  const rest = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (told) return done(null, chunk);
      before = Buffer.concat([before, chunk]);
      const at = before.indexOf("\n");
      if (at === -1) return done();
      told = true;
      tell(before.subarray(0, at).toString("utf8"));
      const more = before.subarray(at + 1);
      return more.length > 0 ? done(null, more) : done();
    },
  });
  stream.pipe(rest);
  stream.once("close", () => rest.end());
  return { rest, firstLine };
}
