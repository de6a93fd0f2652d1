import { mkdirSync, realpathSync } from "node:fs";
import { isFactoryError } from "@dispatch/core";
import {
  createLineSplitter,
  decodeLine,
  encodeLine,
  type HostMessage,
  type HostMethod,
  type HostMethods,
  tmuxSocketName,
  type WireError,
} from "@dispatch/protocol";
import { isDiskFull } from "../disk-room.ts";
import { startOf } from "../process/list-processes.ts";
import { bootId } from "../process/session-identity.ts";
import { type AttemptTurns, createAttemptTurns } from "./attempt-turns.ts";
import { type Beginner, createBeginner } from "./begin-attempts.ts";
import { discardAttempt } from "./discard-attempt.ts";
import { ensureRepository } from "./ensure-repository.ts";
import { createFollower, type Follower } from "./follow-attempts.ts";
import { bundlePath, complain, type Host, refuse, requireHome, withoutHome } from "./host.ts";
import { createProjectTurns, type ProjectTurns } from "./project-turns.ts";
import { keepPulse, type PulseKeeper } from "./pulse/keep-pulse.ts";
import { createVerifyRunner, type VerifyRunner } from "./run-verify-job.ts";
import { salvageAttempt } from "./salvage-attempt.ts";
import { stopAttempt } from "./stop-attempt.ts";
import { tailLog } from "./tail-log.ts";
import { seeAttempts } from "./take-stock.ts";
import { tellAttempt } from "./tell-attempt.ts";
import { createTidier } from "./tidy/tidy-in-turn.ts";

const lookMs = 1000;
const heartbeatMs = 5000;

type Answers = { [M in HostMethod]: (params: HostMethods[M]["params"]) => Promise<HostMethods[M]["result"]> };

/** Answers requests on standard input until it ends. Sessions go on without it. */
export async function serveHost(folder: string): Promise<void> {
  const send = (message: HostMessage): void => {
    process.stdout.write(encodeLine(message));
  };
  let home: string;
  try {
    mkdirSync(folder, { recursive: true });
    home = realpathSync(folder);
  } catch (error) {
    return await refuseAll(asWireError(withoutHome(folder, error)), send);
  }
  const host: Host = {
    home,
    bootId: bootId(),
    since: startOf(process.pid) ?? "",
    socket: tmuxSocketName(home),
    bundle: bundlePath(),
    notify: send,
  };
  const follower = createFollower(host);
  const verifier = createVerifyRunner(host);
  verifier.sweep().catch(complain);
  const pulse = keepPulse(host);
  const inTurn = createAttemptTurns(host);
  const turns = createProjectTurns();
  const beginner = createBeginner(host, { follower, inTurn, turns });
  const answers = answersOf({ host, follower, verifier, pulse, beginner, inTurn, turns });
  const timers = startTimers(host, follower, pulse);
  const ended = new Promise<void>((resolve) => {
    process.stdin.once("end", resolve);
    process.stdin.once("error", () => resolve());
    // The controller is gone; what it does not read is not missed, since it is in the files.
    process.stdout.once("error", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
  // Ctrl-C in the terminal of the controller reaches this process too; it is the controller's to answer.
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
  const splitter = createLineSplitter();
  process.stdin.setEncoding("utf8").on("data", (chunk: string) => {
    for (const line of splitter.push(chunk)) void answerLine(line, answers, send);
  });
  await ended;
  for (const timer of timers) clearInterval(timer);
  pulse.close();
  beginner.close();
  follower.close();
  await verifier.close();
  process.exit(0);
}

interface Parts {
  host: Host;
  follower: Follower;
  verifier: VerifyRunner;
  pulse: PulseKeeper;
  beginner: Beginner;
  inTurn: AttemptTurns;
  turns: ProjectTurns;
}

function answersOf({ host, follower, verifier, pulse, beginner, inTurn, turns }: Parts): Answers {
  return {
    hello: async ({ cursors }) => {
      if (typeof cursors !== "object" || cursors === null) throw refuse("hello needs cursors");
      requireHome(host);
      const attempts = seeAttempts(host, Object.keys(cursors));
      // After the answer, which must come first.
      setImmediate(() => {
        for (const { attempt, identity } of attempts) {
          const cursor = cursors[attempt];
          if (cursor === undefined) continue;
          follower.restart(attempt, cursor);
          if (identity === null) beginner.resume(attempt);
        }
        void beat(host, follower, pulse);
      });
      return { bootId: host.bootId, attempts };
    },
    list: async ({ attempts }) => {
      if (!Array.isArray(attempts)) throw refuse("list needs attempts");
      requireHome(host);
      return seeAttempts(host, attempts);
    },
    ensureRepo: async ({ project }) => ({ path: await turns.work(project, () => ensureRepository(host, project)) }),
    start: async ({ job }) => {
      await beginner.start(job);
      pulse.sawCommand(job.executor.command);
      return { started: true };
    },
    stop: async ({ attempt, because, cursor }) => {
      await stopAttempt(host, attempt, String(because), cursor);
      follower.follow(attempt, cursor);
      follower.pump(attempt);
      return { stopped: true };
    },
    tell: ({ attempt, n, text }) =>
      inTurn(attempt, async () => {
        tellAttempt(host, attempt, n, text);
        return { told: true };
      }),
    salvage: ({ attempt }) => inTurn(attempt, () => salvageAttempt(host, attempt)),
    discard: ({ attempt, held }) =>
      inTurn(attempt, async () => {
        if (typeof held !== "object" || held === null) throw refuse("discard needs what is held");
        await discardAttempt(host, attempt, held);
        return { discarded: true };
      }),
    verify: (job) => verifier.run(job),
    generate: (job) => {
      if (!Array.isArray(job.files)) throw refuse("generate needs files");
      return verifier.generate(job);
    },
    cancelVerify: async ({ id }) => {
      verifier.cancel(id);
      return { cancelled: true };
    },
    tidy: createTidier({ host, turns, verifier }, pulse),
    tail: ({ attempt, file, from, round }) => tailLog(host, attempt, file, from, round),
  };
}

async function answerLine(line: string, answers: Answers, send: (message: HostMessage) => void): Promise<void> {
  const request = decodeLine(line);
  const id = typeof request?.["id"] === "number" ? request["id"] : null;
  try {
    const method = request?.["method"];
    const params = request?.["params"];
    if (id === null || typeof method !== "string" || !Object.hasOwn(answers, method)) throw refuse(`not a request: ${line.slice(0, 200)}`);
    if (typeof params !== "object" || params === null) throw refuse(`${method} needs parameters`);
    const answer = answers[method as HostMethod] as (params: object) => Promise<unknown>;
    send({ id, result: await answer(params) });
  } catch (error) {
    send({ id, error: asWireError(error) });
  }
}

/** Ending would only have it started again and again, without a word. */
async function refuseAll(error: WireError, send: (message: HostMessage) => void): Promise<void> {
  const splitter = createLineSplitter();
  process.stdin.setEncoding("utf8").on("data", (chunk: string) => {
    for (const line of splitter.push(chunk)) {
      const id = decodeLine(line)?.["id"];
      send({ id: typeof id === "number" ? id : null, error });
    }
  });
  await new Promise<void>((resolve) => process.stdin.once("end", resolve).once("error", () => resolve()));
}

function asWireError(error: unknown): WireError {
  if (isFactoryError(error)) return { code: error.code, message: error.message, fault: error.fault, retry: error.retry, hint: error.hint ?? null };
  const message = error instanceof Error ? error.message : String(error);
  if (isDiskFull(error)) return { code: "DISK_FULL", message, fault: "user", retry: "later", hint: "Free space on the node." };
  return { code: "NODE_FAILED", message, fault: "ours", retry: "later", hint: null };
}

function startTimers(host: Host, follower: Follower, pulse: PulseKeeper): NodeJS.Timeout[] {
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    await follower.look();
    looking = false;
  };
  return [setInterval(() => void look(), lookMs), setInterval(() => void beat(host, follower, pulse), heartbeatMs)];
}

async function beat(host: Host, follower: Follower, pulse: PulseKeeper): Promise<void> {
  try {
    host.notify({ notify: "heartbeat", ...(await pulse.take(follower.open())) });
  } catch (error) {
    complain(error);
  }
}
