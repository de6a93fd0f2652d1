import type { AttemptId, AttemptJob } from "@dispatch/core";
import type { AttemptTurns } from "./attempt-turns.ts";
import type { Follower } from "./follow-attempts.ts";
import { complain, filesOf, type Host, readIdentity, readJob } from "./host.ts";
import { createSpareKeeper } from "./keep-spare.ts";
import type { ProjectTurns } from "./project-turns.ts";
import { beginAttempt, takeJob } from "./start-session.ts";

/** Takes jobs, and gives each attempt whose job was taken its wrapper, or its end. */
export interface Beginner {
  /** Settles when the job is durable; the attempt begins after that by itself. */
  start(job: AttemptJob): Promise<void>;
  /** Begins an attempt whose job a host before this one took and did not live to begin. */
  resume(attempt: AttemptId): void;
  close(): void;
}

export function createBeginner(host: Host, parts: { follower: Follower; inTurn: AttemptTurns; turns: ProjectTurns }): Beginner {
  const { follower, inTurn, turns } = parts;
  const spares = createSpareKeeper(host);
  const taking = new Set<Promise<void>>();
  let beginning = 0;

  async function begin(attempt: AttemptId): Promise<void> {
    beginning++;
    try {
      // What came together with this one is answered before any program is started.
      await Promise.allSettled(taking);
      await new Promise((next) => setImmediate(next));
      await beginAttempt(host, spares, attempt);
      follower.pump(attempt);
    } catch (error) {
      complain(error);
    } finally {
      beginning--;
      if (beginning === 0) spares.keep();
    }
  }

  async function take(job: AttemptJob): Promise<void> {
    const mine = takeJob(host, job);
    taking.add(mine);
    try {
      await mine;
    } finally {
      taking.delete(mine);
    }
    follower.follow(job.attempt, 0);
  }

  return {
    start: (job) =>
      new Promise((resolve, reject) => {
        // In one turn, so that nothing about the attempt comes between the two.
        const both = inTurn(job?.attempt, () =>
          turns.work(job.project, async () => {
            await take(job);
            resolve();
            await begin(job.attempt);
          }),
        );
        both.catch(reject);
      }),
    resume(attempt) {
      const files = filesOf(host, attempt);
      const project = readIdentity(files) === undefined ? readJob(files)?.project : undefined;
      if (project !== undefined) void inTurn(attempt, () => turns.work(project, () => begin(attempt)));
    },
    close: () => spares.close(),
  };
}
