import { mkdirSync, realpathSync } from "node:fs";
import { type AttemptId, isFactoryError } from "@dispatch/core";
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
import { discardAttempt } from "./discard-attempt.ts";
import { ensureRepository } from "./ensure-repository.ts";
import { createFollower, type Follower } from "./follow-attempts.ts";
import { bundlePath, complain, filesOf, type Host, refuse } from "./host.ts";
import { createVerifyRunner, type VerifyRunner } from "./run-verify-job.ts";
import { salvageAttempt } from "./salvage-attempt.ts";
import { startSession } from "./start-session.ts";
import { stopAttempt } from "./stop-attempt.ts";
import { tailLog } from "./tail-log.ts";
import { seeAttempts, takePulse } from "./take-stock.ts";
import { tellAttempt } from "./tell-attempt.ts";

const lookMs = 1000;
const heartbeatMs = 5000;

type Answers = { [M in HostMethod]: (params: HostMethods[M]["params"]) => Promise<HostMethods[M]["result"]> };

/** Answers requests on standard input until it ends. Sessions go on without it. */
export async function serveHost(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const send = (message: HostMessage): void => {
    process.stdout.write(encodeLine(message));
  };
  const home = realpathSync(folder);
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
  const answers = answersOf(host, follower, verifier);
  const timers = startTimers(host, follower);
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
  follower.close();
  await verifier.close();
  process.exit(0);
}

function answersOf(host: Host, follower: Follower, verifier: VerifyRunner): Answers {
  const inTurn = createTurns();
  return {
    hello: async ({ cursors }) => {
      if (typeof cursors !== "object" || cursors === null) throw refuse("hello needs cursors");
      const attempts = seeAttempts(host, Object.keys(cursors));
      // After the answer, which must come first.
      setImmediate(() => {
        for (const { attempt } of attempts) {
          const cursor = cursors[attempt];
          if (cursor !== undefined) follower.restart(attempt, cursor);
        }
        void beat(host, follower);
      });
      return { bootId: host.bootId, attempts };
    },
    list: async ({ attempts }) => {
      if (!Array.isArray(attempts)) throw refuse("list needs attempts");
      return seeAttempts(host, attempts);
    },
    ensureRepo: async ({ project }) => ({ path: await ensureRepository(host, project) }),
    start: ({ job }) =>
      inTurn(job?.attempt, async () => {
        await startSession(host, job);
        follower.follow(job.attempt, 0);
        return { started: true };
      }),
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
    tail: ({ attempt, file, from, round }) => tailLog(host, attempt, file, from, round),
  };

  /** Calls about one attempt one after the other; a stop need not wait, it is safe at any time. */
  function createTurns(): <T>(attempt: AttemptId, act: () => Promise<T>) => Promise<T> {
    const last = new Map<AttemptId, Promise<unknown>>();
    return async (attempt, act) => {
      filesOf(host, attempt);
      const before = last.get(attempt) ?? Promise.resolve();
      const mine = before.then(act, act);
      last.set(attempt, mine);
      try {
        return await mine;
      } finally {
        if (last.get(attempt) === mine) last.delete(attempt);
      }
    };
  }
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

function asWireError(error: unknown): WireError {
  if (isFactoryError(error)) return { code: error.code, message: error.message, fault: error.fault, retry: error.retry, hint: error.hint ?? null };
  const message = error instanceof Error ? error.message : String(error);
  if (isDiskFull(error)) return { code: "DISK_FULL", message, fault: "user", retry: "later", hint: "Free space on the node." };
  return { code: "NODE_FAILED", message, fault: "ours", retry: "later", hint: null };
}

function startTimers(host: Host, follower: Follower): NodeJS.Timeout[] {
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    await follower.look();
    looking = false;
  };
  return [setInterval(() => void look(), lookMs), setInterval(() => void beat(host, follower), heartbeatMs)];
}

async function beat(host: Host, follower: Follower): Promise<void> {
  try {
    host.notify({ notify: "heartbeat", ...(await takePulse(host, follower.open())) });
  } catch (error) {
    complain(error);
  }
}
