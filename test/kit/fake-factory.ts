import {
  type AttemptJob,
  type AttemptOutcome,
  type AttemptReport,
  type Candidate,
  type CarInput,
  type CarMember,
  type CommandResult,
  type Commit,
  type ConflictReport,
  defaultGatePolicy,
  type Effect,
  FactoryError,
  type GeneratedFiles,
  type Ledger,
  type NodePool,
  type NodeSnapshot,
  type Oid,
  type PublishOutcome,
  plainNode,
  type Repositories,
  type TakeInOutcome,
  type WrapperFact,
} from "@dispatch/core";
import { createEngine, type Engine, type Settings } from "@dispatch/engine";
import { decide } from "@dispatch/scheduler";
import { assertInvariants } from "./assert-invariants.ts";
import { anOid, someIdentity } from "./build-facts.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createMemoryLedger } from "./memory-ledger.ts";

export const greenRun: CommandResult = {
  command: "run tests",
  outcome: "exited",
  exitCode: 0,
  signal: null,
  durationMs: 1,
  outputBytes: 0,
  outputTail: "",
};
export const redRun: CommandResult = { ...greenRun, exitCode: 1, outputTail: "1 failed" };

const smallPatch = `diff --git a/src/a.ts b/src/a.ts
index ${anOid(2)}..${anOid(3)} 100644
--- a/src/a.ts
+++ b/src/a.ts
@@ -1 +1 @@
-export const one = 1;
+export const one = 2;
`;

/** How the pretended world behaves. A test changes it while the engine runs. */
export interface Behaviour {
  /** How an attempt ends; undefined: it goes on until stopped. */
  outcome(job: AttemptJob): AttemptOutcome | undefined;
  /** What the verify commands return on a commit. */
  verify(commit: Oid): CommandResult;
  /** Fails an effect before it does anything. */
  fail(doing: Effect["do"], id: string): FactoryError | undefined;
  conflict(spec: string, n: number): boolean;
  /** Generated files in which the branches of a car meet. */
  outdated(input: CarInput): readonly string[];
  /** What the command returns that makes them again on a commit. */
  generate(commit: Oid): CommandResult;
  takeIn(main: Oid): TakeInOutcome;
  publish(main: Oid): PublishOutcome;
  /** Texts of the files of a commit, by path. */
  files(commit: Oid): Readonly<Record<string, string>>;
}

interface Session {
  node: string;
  job: AttemptJob;
  facts: WrapperFact[];
  alive: boolean;
  discarded: boolean;
}

/** A whole factory on pretended nodes, repositories and time. The ports keep what a real world keeps over a restart. */
export function createFakeFactory(
  options: {
    slots?: number;
    /** Ids of the nodes; `local` alone when it is left out. */
    nodes?: readonly string[];
    lostAfterMs?: number | null;
    landing?: "continuous" | "on-collect";
    contracts?: readonly string[];
    barrier?: readonly string[];
    generated?: readonly GeneratedFiles[];
    behaviour?: Partial<Behaviour>;
  } = {},
) {
  const clock: FakeClock = createFakeClock();
  const behaviour: Behaviour = {
    outcome: (job) => ({ kind: "succeeded", tip: anOid(Number(`1${job.n}`)), base: job.base, rounds: 1 }),
    verify: () => greenRun,
    fail: () => undefined,
    conflict: () => false,
    outdated: () => [],
    generate: () => greenRun,
    takeIn: (main) => ({ outcome: "unchanged", main }),
    publish: (main) => ({ outcome: "published", commit: main }),
    files: () => ({}),
    ...options.behaviour,
  };
  const ids = options.nodes ?? ["local"];
  const node: NodeSnapshot = {
    id: ids[0] ?? "local",
    slots: options.slots ?? 2,
    lowPriority: false,
    labels: [],
    executors: null,
    capacity: { cpus: 64, memoryMb: 65_536, gpus: 0 },
    load: null,
    ...plainNode,
    lostAfterMs: options.lostAfterMs ?? null,
    status: { kind: "up" },
  };
  const snapshots = new Map(ids.map((id): [string, NodeSnapshot] => [id, { ...node, id }]));
  const sessions = new Map<string, Session>();
  /** What was told, by attempt and number. */
  const notices = new Map<string, Map<number, string>>();
  const calls: string[] = [];
  let main = anOid(1);
  let serial = 100;
  const landed: { commit: Oid; onto: Oid }[] = [];
  const published: Oid[] = [];
  let listener: (report: AttemptReport) => void = () => {};
  let onChange: () => void = () => {};
  let cursors: (attempt: string) => number = () => 0;

  /** What is asked of a node that is away fails, as does what the test wants to fail. */
  function reach(node: string, doing: Effect["do"], id: string): void {
    const status = snapshots.get(node)?.status;
    if (status === undefined) throw new FactoryError("NOT_FOUND", `no node ${node}`, { fault: "user" });
    if (status.kind === "down") throw new FactoryError("NODE_UNREACHABLE", status.because, { fault: "dependency", retry: "later" });
    guard(doing, id);
  }

  function guard(doing: Effect["do"], id: string): void {
    calls.push(`${doing} ${id}`);
    const error = behaviour.fail(doing, id);
    if (error !== undefined) throw error;
  }

  function emit(attempt: string, fact: WrapperFact): void {
    const session = sessions.get(attempt);
    if (session === undefined) throw new Error(attempt);
    session.facts.push(fact);
    if (isUp(session.node)) listener({ node: session.node, attempt, seq: session.facts.length, reportedAt: clock.now(), fact });
  }

  function change(id: string, to: Partial<NodeSnapshot>): void {
    const node = snapshots.get(id);
    if (node === undefined) throw new Error(id);
    snapshots.set(id, { ...node, ...to });
    onChange();
  }

  function isUp(node: string): boolean {
    return snapshots.get(node)?.status.kind === "up";
  }

  const nodes: NodePool = {
    nodes: () => [...snapshots.values()],
    onReport(next) {
      listener = next;
    },
    onChange(next) {
      onChange = next;
    },
    async startAttempt(node, job) {
      reach(node, "start-attempt", job.attempt);
      if (sessions.has(job.attempt)) return;
      sessions.set(job.attempt, { node, job, facts: [], alive: true, discarded: false });
      emit(job.attempt, { type: "attempt-started", identity: someIdentity });
      emit(job.attempt, { type: "round-started", round: 1 });
      const outcome = behaviour.outcome(job);
      if (outcome !== undefined) factory.end(job.attempt, outcome);
    },
    async stopAttempt(node, attempt, because) {
      reach(node, "stop-attempt", attempt);
      const session = sessions.get(attempt);
      if (session === undefined) throw new FactoryError("NOT_FOUND", attempt);
      if (session.alive) factory.end(attempt, { kind: "stopped", because });
    },
    async tellAttempt(node, attempt, n, text) {
      reach(node, "tell-attempt", attempt);
      const told = notices.get(attempt) ?? new Map<number, string>();
      notices.set(attempt, told);
      if (!told.has(n)) told.set(n, text);
    },
    async salvageAttempt(node, attempt) {
      reach(node, "collect-attempt", attempt);
      const outcome = sessions.get(attempt)?.facts.find((fact) => fact.type === "attempt-ended");
      const tip = outcome?.type === "attempt-ended" && outcome.outcome.kind === "succeeded" ? outcome.outcome.tip : null;
      return { tip, salvage: anOid(5) };
    },
    async discardAttempt(node, attempt) {
      reach(node, "discard-workspace", attempt);
      const session = sessions.get(attempt);
      if (session !== undefined) session.discarded = true;
    },
    runVerify: async (_node, job) => [behaviour.verify(job.commit)],
    async makeGenerated(_node, { commit }) {
      calls.push(`generate ${commit}`);
      const result = behaviour.generate(commit);
      return { results: [result], commit: result.exitCode === 0 ? anOid(++serial) : null };
    },
    cancelVerify: async () => {},
    prepareRepository: async (_node, project) => `/fake/${project}.git`,
    inventory: async (node) => [...sessions].flatMap(([id, session]) => (session.node === node ? [id] : [])),
    resync(node) {
      for (const [attempt, session] of sessions) {
        if (session.node !== node) continue;
        session.facts.forEach((fact, i) => {
          if (i + 1 > cursors(attempt)) listener({ node, attempt, seq: i + 1, reportedAt: clock.now(), fact });
        });
      }
    },
  };

  const repositories: Repositories = {
    openHub: async () => main,
    mainOf: async () => main,
    sendCommit: async () => {},
    fetchAttempt: async () => {},
    diffOf: async () => ({ raw: `:100644 100644 ${anOid(2)} ${anOid(3)} M\0src/a.ts\0`, patch: smallPatch, sizes: new Map() }),
    async buildCar(_project, input) {
      guard("build-car", input.car);
      const refused = input.members.filter(({ specId, attempt }) => behaviour.conflict(specId, Number(attempt.split("--").at(-1))));
      const held = input.members.filter((member) => !refused.includes(member)).map(({ task }) => task);
      serial += 1;
      const candidate: Candidate = { commit: anOid(serial), merge: anOid(2), tree: anOid(serial + 100_000) };
      const report = ({ specId, attempt, base }: CarMember): ConflictReport => ({
        code: 409,
        spec: specId,
        attempt,
        base,
        main,
        kind: "stale_base",
        textMerge: "clean",
        paths: [{ path: "src/x.ts", expected: null, actual: null, yours: null, changedBy: [] }],
        hint: "rebase",
      });
      const refusals = refused.map((member) => ({ task: member.task, report: report(member) }));
      return { candidate: held.length === 0 ? null : candidate, held, refused: refusals, deferred: [], outdated: behaviour.outdated(input) };
    },
    takeGenerated: async (_project, _input, { candidate }, made) => ({ commit: made.commit, merge: candidate?.merge ?? "", tree: anOid(++serial) }),
    async advanceMain(_project, commit, onto) {
      guard("advance-main", commit);
      if (landed.some((one) => one.commit === commit)) return { outcome: "advanced" };
      if (main !== onto) return { outcome: "main-moved", main };
      landed.push({ commit, onto });
      main = commit;
      return { outcome: "advanced" };
    },
    takeInOrigin: async () => behaviour.takeIn(main),
    async publishMain() {
      const outcome = behaviour.publish(main);
      if (outcome.outcome === "published") published.push(main);
      return outcome;
    },
    listFiles: async (_project, commit) => Object.keys(behaviour.files(commit)),
    readFile: async (_project, commit, path) => behaviour.files(commit)[path],
    readFiles: async (_project, commit, paths) => new Map(Object.entries(behaviour.files(commit)).filter(([path]) => paths.includes(path))),
    readBlobs: async () => new Map(),
  };

  const common = (options.generated ?? []).flatMap(({ paths }) => paths);
  const scheduling = new Map([
    [
      "shop",
      {
        landing: options.landing ?? ("continuous" as const),
        contracts: options.contracts ?? [],
        shared: [],
        generated: options.generated ?? [],
        barrier: options.barrier ?? [],
        share: 1,
        executor: null,
      },
    ],
  ]);
  const settings: Settings = {
    sourceOf: (project) => ({ id: project, repo: "/fake", branch: "main" }),
    scheduling: () => scheduling,
    executorOf: (spec) =>
      spec.executor === "missing" ? undefined : { name: "fake", command: ["true"], prompt: "file", timeoutSeconds: 60, env: {} },
    policyAt: async () => ({
      verify: [{ run: "run tests", cwd: ".", timeoutSeconds: 60, env: {} }],
      maxRounds: 3,
      gates: { ...defaultGatePolicy, alwaysAllowed: ["**"] },
    }),
  };

  let memory = createMemoryLedger();
  const fatal: unknown[] = [];
  const logged: string[] = [];
  const log = {
    debug() {},
    info() {},
    warn: (_facts: object, message: string) => logged.push(message),
    error: (_facts: object, message: string) => logged.push(message),
  };

  function boot(): Engine {
    const ledger: Ledger = {
      ...memory,
      append(commit) {
        const durable = memory.append(commit);
        factory.onAppend(commit);
        return durable;
      },
    };
    const engine = createEngine({ ledger, nodes, repositories, settings, clock, log, at: () => {} }, (error) => fatal.push(error));
    engine.subscribe(() => assertInvariants(engine.world, [...snapshots.values()], common));
    cursors = (attempt) => engine.world.attempts.get(attempt)?.cursor ?? 0;
    return engine;
  }

  const factory = {
    clock,
    behaviour,
    /** The first one as it was in the beginning. */
    node,
    calls,
    landed,
    published,
    sessions,
    notices,
    fatal,
    get ledger() {
      return memory;
    },
    /** Called in the turn in which facts are handed to the ledger, before they are durable. */
    onAppend: (_commit: Commit): void => {},
    engine: undefined as unknown as Engine,
    main: () => main,
    setMain(commit: Oid) {
      main = commit;
    },
    end(attempt: string, outcome: AttemptOutcome) {
      const session = sessions.get(attempt);
      if (session !== undefined) session.alive = false;
      emit(attempt, { type: "attempt-ended", outcome });
    },
    emit,
    /** Forgets everything in memory, as kill -9 would, and starts again from the ledger. */
    async crash(): Promise<void> {
      listener = () => {};
      onChange = () => {};
      await factory.engine.close();
      memory = memory.reopen();
      factory.engine = boot();
      for (const id of snapshots.keys()) if (isUp(id)) nodes.resync(id);
      await factory.engine.start();
    },
    /** Cuts a node off: its sessions go on, and what they say waits until it is back. */
    takeDown(id: string) {
      change(id, { status: { kind: "down", because: "the link fell", since: clock.now() } });
    },
    bringUp(id: string) {
      change(id, { status: { kind: "up" } });
      nodes.resync(id);
    },
    /** Takes a node out of the configuration. */
    removeNode(id: string) {
      snapshots.delete(id);
      onChange();
    },
    /** Lets everything happen that can happen without time passing; then nothing may be left to decide. */
    async settle(): Promise<void> {
      for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
      const left = fatal.length > 0 ? [] : decide(factory.engine.snapshot(), clock.now());
      if (left.length > 0) throw new Error(`left undecided: ${JSON.stringify(left)}`);
    },
    stateOf: (id: string) => factory.engine.world.tasks.get(`shop/${id}`)?.state,
  };
  factory.engine = boot();
  return factory;
}
