import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { StoredEvent } from "@dispatch/core";
import { eventually } from "../kit/eventually.ts";
import { type FactorySpec, makeRealFactory, project, type RealFactory, waitStep } from "../kit/real-factory.ts";
import { makeSshLab, type SshLab } from "../kit/real-sshd.ts";
import { atMost, type Benchmark, median, milliseconds, type Outcome, ratios } from "./benchmark.ts";

const run = promisify(execFile);
const machines = 4;
const slots = 8;
const connects = 5;

interface Round {
  connectMs: number;
  /** From the start of the process until it answers. */
  upMs: number;
  /** From the start of the process until what every session said meanwhile is in the ledger. */
  adoptedMs: number;
  /** Reports that were lost or repeated. */
  wrong: number;
}

/** A controller that is killed while 32 agents work on four machines, and the next one that takes them over. */
export const adopt: Benchmark = {
  name: "adopt",
  tells: `${machines * slots} sessions on ${machines} sshds taken over by a new controller, against one ssh connect`,
  rounds: 3,
  async measure(rounds, say): Promise<Outcome> {
    const done: Round[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      done.push(await oneRound());
    }
    return outcomeOf(done);
  },
};

async function oneRound(): Promise<Round> {
  const lab = makeSshLab();
  try {
    const factory = await makeFactory(lab);
    try {
      return await measureRound(lab, factory);
    } finally {
      await factory.close();
    }
  } finally {
    await lab.close();
  }
}

async function makeFactory(lab: SshLab): Promise<RealFactory> {
  const entries: object[] = [];
  const homes: string[] = [];
  for (let n = 1; n <= machines; n++) {
    const machine = await lab.add(`node-${n}`);
    entries.push({ name: machine.name, ssh_target: machine.name, slots, host_key: machine.hostKey() });
    homes.push(join(machine.home, ".dispatch"));
  }
  const specs = Array.from({ length: machines * slots }, (_, n): FactorySpec => {
    const id = `S${String(n + 1).padStart(2, "0")}-wait`;
    return { id, creates: [`${id}.txt`], attempts: [[waitStep("agents"), { append: `${id}.txt`, content: `the line of ${id}\n` }]] };
  });
  return makeRealFactory(specs, { landing: "on-collect", far: { entries, homes, env: { DISPATCH_SSH_CONFIG: lab.configFile } } });
}

async function measureRound(lab: SshLab, factory: RealFactory): Promise<Round> {
  factory.hold("agents");
  factory.hold("verify");
  await factory.up();
  await factory.daemon().post(`/projects/${project}/start`);
  await eventually("all agents at work", () => factory.held("agents").length === machines * slots, 120_000);
  await factory.until("all sessions in the ledger", () => factory.specs.every(({ id }) => factory.followed.task(id)?.state.kind === "running"));
  factory.daemon().kill("SIGKILL");
  await factory.daemon().ended;
  // Every session has something to say to the next controller.
  factory.release("agents");
  await eventually("the end of all agents", () => factory.held("verify").length === machines * slots, 120_000);
  const connecting: number[] = [];
  for (let n = 0; n < connects; n++) connecting.push(await milliseconds(() => run("ssh", ["-F", lab.configFile, "node-1", "true"])));
  const before = factory.followed.lastSeq();
  const began = Date.now();
  const upMs = await milliseconds(() => factory.up());
  const told = await factory.until("what the sessions said meanwhile", () => {
    const news = factory.followed
      .events()
      .filter(({ seq, event }) => seq > before && event.type === "wrapper-reported" && event.fact.type === "agent-ended");
    return news.length === machines * slots ? news : undefined;
  });
  const adoptedMs = Math.max(...told.map(({ at }) => at)) - began;
  factory.release("verify");
  await factory.until(
    "the end of all attempts",
    () => [...factory.followed.world().attempts.values()].every(({ state }) => state.kind === "discarded"),
    120_000,
  );
  return { connectMs: median(connecting), upMs, adoptedMs, wrong: wrongReports(factory) };
}

/** Reports that are on a node and not in the log, in the log more often than once, or in the log and on no node. */
function wrongReports(factory: RealFactory): number {
  let wrong = 0;
  for (const attempt of factory.followed.world().attempts.keys()) {
    const told = factory.followed.events().flatMap((stored) => seqOf(stored, attempt));
    const written = factory.nodes.flatMap((node) => writtenIn(join(node, "attempts", attempt, "events.ndjson")));
    wrong +=
      written.filter((seq) => !told.includes(seq)).length + told.length - new Set(told).size + told.filter((seq) => !written.includes(seq)).length;
  }
  return wrong;
}

function seqOf({ event }: StoredEvent, attempt: string): number[] {
  return event.type === "wrapper-reported" && event.attempt === attempt ? [event.seq] : [];
}

function writtenIn(file: string): number[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => (JSON.parse(line) as { seq: number }).seq);
}

function outcomeOf(rounds: readonly Round[]): Outcome {
  const each = (pick: (round: Round) => number): number[] => rounds.map(pick);
  const connect = each((round) => round.connectMs);
  const adopted = each((round) => round.adoptedMs);
  const ofConnect = ratios(adopted, connect);
  const wrong = each((round) => round.wrong).reduce((sum, one) => sum + one, 0);
  return {
    rows: [
      { what: "ssh HOST true", unit: "ms", values: connect },
      { what: "controller started, until the last session's word is in its ledger", unit: "ms", values: adopted },
      { what: "the same, in ssh connects", unit: "", values: ofConnect },
      { what: "controller started, until it answers", unit: "ms", values: each((round) => round.upMs) },
    ],
    figures: {
      connectMs: median(connect),
      adoptedMs: median(adopted),
      upMs: median(each((round) => round.upMs)),
      ratio: median(ofConnect),
      wrongReports: wrong,
    },
    goals: [atMost("all sessions adopted, in ssh connects", median(ofConnect), 3), atMost("events lost or repeated", wrong, 0)],
    notes: ["every agent ends while no controller runs; a session counts as adopted when the ledger holds that, by the time on the stored fact"],
  };
}
