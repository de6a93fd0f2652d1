import type { AttemptJob } from "@dispatch/core";
import { makePool, type SceneOptions } from "./pool-scene.ts";

/** A controller to be killed: starts the job that it reads and prints what is reported, one line each. */
let input = "";
for await (const chunk of process.stdin.setEncoding("utf8")) input += chunk;
const { options, job } = JSON.parse(input) as { options: SceneOptions; job: AttemptJob };
const { pool } = makePool({ ...options, env: process.env });
pool.onReport(({ seq, fact }) => void process.stdout.write(`${JSON.stringify({ seq, type: fact.type })}\n`));
await pool.open();
await pool.startAttempt(options.nodes[0]?.id ?? "", job);
