import { type AttemptOutcome, FactoryError, type FactoryEvent, type FactoryEventType, holdsLock, type Oid, type TaskSpec } from "@dispatch/core";
import { foldEvents } from "@dispatch/store";
import { describe, expect, it } from "vitest";
import { anOid, aSpec } from "../kit/build-facts.ts";
import { createFakeFactory } from "../kit/fake-factory.ts";

type Fake = ReturnType<typeof createFakeFactory>;

const base = anOid(1);
const contract = (schedule: string, cancel = "Gives nothing."): string =>
  `# Shared contract\n\nErrors have a code.\n\n## POST /schedule\n\n${schedule}\n\n## DELETE /schedule\n\n${cancel}\n`;
const before = contract("Takes posts.");
const after = contract("Takes posts and a zone.");

const file = (id: string, change: Partial<TaskSpec> = {}) => ({
  spec: aSpec(id, change),
  digest: `digest of ${id}`,
  text: `---\ntask_id: ${id}\n---\n# ${id}\n`,
  path: `specs/shop/${id}.md`,
});

const done = (specId: string): AttemptOutcome => ({ kind: "succeeded", tip: anOid(900), base, rounds: specId.length });

/** Attempts work until a test ends them; what is on main has `before` until `change` is called, and `after` from then on. */
function contractFactory(options: Parameters<typeof createFakeFactory>[0] = {}) {
  const changed = new Set<Oid>();
  const fake = createFakeFactory({
    contracts: ["API.md"],
    slots: 4,
    ...options,
    behaviour: {
      outcome: () => undefined,
      files: (commit) => ({ "API.md": changed.has(commit) ? after : before, "src/x.ts": "" }),
      ...options.behaviour,
    },
  });
  const mark = (commit: Oid): Oid => {
    changed.add(commit);
    return commit;
  };
  return { fake, mark };
}

async function started(fake: Fake, ...files: ReturnType<typeof file>[]): Promise<void> {
  await fake.engine.start();
  await fake.engine.commands.startProject("shop");
  await fake.engine.commands.feed(files);
  await fake.settle();
}

/** Somebody pushes a commit with another contract to origin, and it is collected. */
async function pushContract(fake: Fake, commit: Oid): Promise<void> {
  fake.behaviour.takeIn = (main) => (main === commit ? { outcome: "unchanged", main } : { outcome: "ahead", candidate: commit, commits: 1 });
  await fake.engine.commands.collect("shop", "lead");
  await fake.settle();
}

function factsOf<T extends FactoryEventType>(fake: Fake, type: T): Extract<FactoryEvent, { type: T }>[] {
  return fake.ledger.events.flatMap(({ event }) => (event.type === type ? [event as Extract<FactoryEvent, { type: T }>] : []));
}

const noticesOf = (fake: Fake, attempt: string): string[] => [...(fake.notices.get(attempt)?.values() ?? [])];

describe("the fact", () => {
  it("follows from a landing that changed an entry, in the same turn as the merge, and names what changed", async () => {
    const { fake, mark } = contractFactory();
    mark(anOid(101));
    await started(fake, file("S01", { modifies: ["API.md"] }));
    fake.end("shop--S01--1", done("S01"));
    await fake.settle();
    expect(factsOf(fake, "contract-changed")).toEqual([
      {
        type: "contract-changed",
        project: "shop",
        from: base,
        commit: anOid(101),
        entries: [{ file: "API.md", anchor: "POST /schedule", change: "changed" }],
      },
    ]);
    const types = fake.ledger.events.map(({ event }) => event.type);
    expect(types.indexOf("contract-changed")).toBe(types.indexOf("task-merged") + 1);
    expect(foldEvents(fake.ledger.events)).toEqual(fake.ledger.load().world);
  });

  it("follows from commits of origin, whether their contract is known by its path, its folder or a glob", async () => {
    for (const contracts of [["API.md"], ["docs", "API.*"], ["**/*.md"]]) {
      const { fake, mark } = contractFactory({ contracts });
      await started(fake);
      await pushContract(fake, mark(anOid(50)));
      expect(factsOf(fake, "contract-changed").map(({ from, commit }) => ({ from, commit }))).toEqual([{ from: base, commit: anOid(50) }]);
    }
  });

  it.each([
    ["an entry that is new", before, `${before}\n## GET /schedule\n\nLists.\n`, [["GET /schedule", "added"]]],
    ["an entry that is gone", before, contract("Takes posts.").replace(/## DELETE[\s\S]*/, ""), [["DELETE /schedule", "removed"]]],
    ["words outside of all entries", before, before.replace("a code", "a code and a message"), [["", "changed"]]],
    ["another layout alone", before, before.replaceAll("\n\n", "\n\n\n"), []],
    [
      "a file that is gone",
      before,
      undefined,
      [
        ["POST /schedule", "removed"],
        ["DELETE /schedule", "removed"],
        ["", "removed"],
      ],
    ],
    ["no change", before, before, []],
  ])("tells %s", async (_, old, now, changes) => {
    const { fake } = contractFactory({
      behaviour: {
        files: (commit) => (commit === anOid(50) ? (now === undefined ? {} : { "API.md": now }) : { "API.md": old }) as Record<string, string>,
      },
    });
    await started(fake);
    await pushContract(fake, anOid(50));
    const told = factsOf(fake, "contract-changed").flatMap((event) => event.entries.map(({ anchor, change }) => [anchor, change]));
    expect(told.sort()).toEqual([...changes].sort());
  });

  it("is never asked for in a project without a contract", async () => {
    const asked: Oid[] = [];
    const { fake } = contractFactory({
      contracts: [],
      behaviour: {
        outcome: (job) => done(job.specId),
        files: (commit) => {
          asked.push(commit);
          return {};
        },
      },
    });
    await started(fake, file("S01"), file("S02"));
    await pushContract(fake, anOid(50));
    expect(fake.stateOf("S02")?.kind).toBe("merged");
    expect(asked).toEqual([]);
  });
});

describe("attempts at work", () => {
  it("are told once each, with the old and the new words; those that start later, have ended, or belong to others are not", async () => {
    const { fake, mark } = contractFactory();
    mark(anOid(51));
    await started(fake, file("S01", { contract: ["API.md#POST /schedule"] }), file("S02", { contract: ["API.md#DELETE /schedule"] }), file("S03"));
    fake.end("shop--S03--1", { kind: "exhausted", rounds: 3, findings: [] });
    await fake.settle();
    await pushContract(fake, anOid(51));
    await fake.engine.commands.feed([file("S04")]);
    await fake.settle();
    expect([...fake.notices.keys()].sort()).toEqual(["shop--S01--1", "shop--S02--1"]);
    const [own] = noticesOf(fake, "shop--S01--1");
    expect(own).toContain("Takes posts.");
    expect(own).toContain("Takes posts and a zone.");
    expect(own).toContain("Your spec cites API.md#POST /schedule");
    expect(noticesOf(fake, "shop--S02--1")[0]).toContain("Your spec cites none");
    expect(fake.engine.world.attempts.get("shop--S01--1")?.notices).toEqual([anOid(51)]);
    expect(fake.engine.world.attempts.get("shop--S04--1")).toMatchObject({ base: anOid(51), notices: [] });
    expect(foldEvents(fake.ledger.events)).toEqual(fake.ledger.load().world);
  });

  it("get a notice with a number of its own for every change", async () => {
    const texts = new Map([
      [anOid(50), "Takes one."],
      [anOid(51), "Takes two."],
    ]);
    const { fake } = contractFactory({ behaviour: { files: (commit) => ({ "API.md": contract(texts.get(commit) ?? "Takes none.") }) } });
    await started(fake, file("S01"));
    await pushContract(fake, anOid(50));
    await pushContract(fake, anOid(51));
    expect([...(fake.notices.get("shop--S01--1")?.keys() ?? [])]).toEqual([1, 2]);
    const [, second] = noticesOf(fake, "shop--S01--1");
    expect(second).toContain("Takes one.");
    expect(second).toContain("Takes two.");
    expect(second).not.toContain("Takes none.");
  });

  it("are told after a crash, and while their node refuses it again and again until it is done", async () => {
    const { fake, mark } = contractFactory();
    let refusing = true;
    fake.behaviour.fail = (doing) =>
      refusing && doing === "tell-attempt" ? new FactoryError("DISK_FULL", "no room", { retry: "later" }) : undefined;
    await started(fake, file("S01"));
    await pushContract(fake, mark(anOid(50)));
    expect(fake.notices.size).toBe(0);
    expect(fake.engine.troubles()).toMatchObject([{ code: "DISK_FULL", effect: { do: "tell-attempt", attempt: "shop--S01--1", n: 1 } }]);
    await fake.crash();
    refusing = false;
    fake.clock.advance(60_000);
    await fake.settle();
    expect([...(fake.notices.get("shop--S01--1")?.keys() ?? [])]).toEqual([1]);
    expect(fake.ledger.load().pending).toEqual([]);
  });

  it("that ended meanwhile are told nothing any more", async () => {
    const { fake, mark } = contractFactory();
    fake.behaviour.fail = (doing) => (doing === "tell-attempt" ? new FactoryError("NODE_UNREACHABLE", "gone", { retry: "later" }) : undefined);
    await started(fake, file("S01"));
    await pushContract(fake, mark(anOid(50)));
    fake.end("shop--S01--1", done("S01"));
    await fake.settle();
    fake.clock.advance(60_000);
    await fake.settle();
    expect(fake.engine.troubles()).toEqual([]);
    expect(fake.notices.size).toBe(0);
  });
});

describe("landing", () => {
  it("refuses a result whose cited entry changed, quotes both sides, and lands the next attempt, which starts from the new contract", async () => {
    const { fake, mark } = contractFactory();
    fake.behaviour.files = (commit) => ({ "API.md": commit === base ? before : after });
    await started(fake, file("S01", { contract: ["API.md#post  /schedule"] }));
    await pushContract(fake, mark(anOid(50)));
    fake.end("shop--S01--1", done("S01"));
    await fake.settle();
    const [refused] = factsOf(fake, "candidate-refused");
    expect(refused).toMatchObject({ task: "shop/S01", conflict: null, findings: [{ gate: "landing", severity: "block", path: "API.md" }] });
    expect(refused?.findings).toHaveLength(1);
    expect(refused?.findings[0]?.found).toContain("Takes posts.");
    expect(refused?.findings[0]?.found).toContain("Takes posts and a zone.");
    expect(fake.engine.world.attempts.get("shop--S01--2")).toMatchObject({ base: anOid(50), notices: [] });
    const prompt = fake.sessions.get("shop--S01--2")?.job.prompt ?? "";
    expect(prompt.indexOf("Takes posts and a zone.")).toBeLessThan(prompt.indexOf("## The spec"));
    expect(prompt.indexOf("Why the last attempt did not land")).toBeGreaterThan(0);
    fake.end("shop--S01--2", done("S01"));
    await fake.settle();
    expect(fake.stateOf("S01")).toMatchObject({ kind: "merged", attempt: "shop--S01--2" });
    expect(factsOf(fake, "candidate-refused")).toHaveLength(1);
  });

  it.each([
    [["API.md"], false],
    [["API.md#DELETE /schedule"], true],
    [["API.md#POST /schedule", "API.md#DELETE /schedule"], false],
    [[], true],
  ])("of a task that cites %j, when POST /schedule changed: lands %j", async (cited, lands) => {
    const { fake } = contractFactory({ behaviour: { files: (commit) => ({ "API.md": commit === base ? before : after }) } });
    await started(fake, file("S01", { contract: cited, attempts: 1 }));
    await pushContract(fake, anOid(50));
    fake.end("shop--S01--1", done("S01"));
    await fake.settle();
    if (!lands) {
      expect(fake.stateOf("S01")).toMatchObject({ kind: "parked", because: { code: "refused-at-landing", findings: [{ gate: "landing" }] } });
      return;
    }
    expect(fake.stateOf("S01")?.kind).toBe("merged");
    expect(factsOf(fake, "car-built")[0]?.notes).toMatchObject([{ gate: "landing", severity: "note" }]);
  });

  it("says nothing of a contract that stayed as it was", async () => {
    const { fake } = contractFactory({ behaviour: { outcome: (job) => done(job.specId) } });
    await started(fake, file("S01", { contract: ["API.md"] }), file("S02"));
    expect(factsOf(fake, "car-built").map((event) => event.notes)).toEqual([undefined]);
    expect(fake.stateOf("S01")?.kind).toBe("merged");
  });

  it("checks again when main moved between the candidate and its landing", async () => {
    const { fake } = contractFactory({ behaviour: { files: (commit) => ({ "API.md": commit === anOid(77) ? after : before }) } });
    await started(fake, file("S01", { contract: ["API.md#POST /schedule"], attempts: 1 }));
    const { verify } = fake.behaviour;
    fake.behaviour.verify = (commit) => {
      fake.setMain(anOid(77));
      return verify(commit);
    };
    fake.end("shop--S01--1", done("S01"));
    await fake.settle();
    expect(fake.landed).toEqual([]);
    expect(fake.stateOf("S01")).toMatchObject({ kind: "parked", because: { code: "refused-at-landing" } });
    expect(factsOf(fake, "contract-changed")).toMatchObject([{ from: base, commit: anOid(77) }]);
  });
});

describe("placing", () => {
  it("parks a task that cites what its base does not hold before an agent runs, and takes it up when the entry is there", async () => {
    const texts = { now: before };
    const { fake } = contractFactory({ behaviour: { outcome: (job) => done(job.specId), files: () => ({ "API.md": texts.now }) } });
    await started(fake, file("S01", { contract: ["API.md#GET /schedule", "OTHER.md"] }), file("S02"));
    const parked = fake.stateOf("S01");
    expect(parked).toMatchObject({ kind: "parked", tries: 1, because: { code: "agent-unusable" } });
    if (parked?.kind !== "parked") throw new Error("not parked");
    for (const word of ["API.md#GET /schedule", "DELETE /schedule", "OTHER.md", "dispatch retry shop/S01"])
      expect(parked.because.text).toContain(word);
    expect([...fake.sessions.keys()]).toEqual(["shop--S02--1"]);
    texts.now = `${before}\n## GET /schedule\n\nLists.\n`;
    fake.behaviour.files = () => ({ "API.md": texts.now, "OTHER.md": "Other law.\n" });
    await fake.engine.commands.retry("shop/S01", "lead");
    await fake.settle();
    expect(fake.stateOf("S01")?.kind).toBe("merged");
    expect(fake.sessions.get("shop--S01--2")?.job.prompt).toContain("Other law.");
  });

  it("gives a task that waited the contract of the moment it starts", async () => {
    const { fake } = contractFactory({ slots: 1, behaviour: { files: (commit) => ({ "API.md": commit === base ? before : after }) } });
    await started(fake, file("S01", { priority: 0 }), file("S02", { contract: ["API.md#POST /schedule"] }));
    expect(fake.stateOf("S02")?.kind).toBe("planned");
    await pushContract(fake, anOid(50));
    fake.end("shop--S01--1", done("S01"));
    await fake.settle();
    const job = fake.sessions.get("shop--S02--1")?.job;
    expect(job?.base).toBe(anOid(50));
    expect(job?.prompt).toContain("Takes posts and a zone.");
    expect(noticesOf(fake, "shop--S02--1")).toEqual([]);
    fake.end("shop--S02--1", done("S02"));
    await fake.settle();
    expect(fake.stateOf("S02")).toMatchObject({ kind: "merged", attempt: "shop--S02--1" });
  });
});

describe("a task that changes the contract", () => {
  const busy = (fake: Fake): string[] => [...fake.engine.world.tasks.values()].filter(holdsLock).map((task) => task.spec.id);

  it("waits until all others of its project have ended, and holds back those that come after it; each of them builds on what it wrote", async () => {
    const { fake, mark } = contractFactory();
    await started(fake, file("S02"), file("S03"));
    expect(busy(fake)).toEqual(["S02", "S03"]);
    await fake.engine.commands.feed([file("S01", { type: "contract", modifies: ["API.md"], priority: 0 })]);
    await fake.engine.commands.feed([file("S04", { contract: ["API.md#POST /schedule"] })]);
    await fake.settle();
    expect(busy(fake)).not.toContain("S01");
    for (const id of busy(fake)) fake.end(`shop--${id}--1`, done(id));
    await fake.settle();
    for (const id of ["S04"].filter((one) => busy(fake).includes(one))) fake.end(`shop--${id}--1`, done(id));
    await fake.settle();
    expect(busy(fake)).toEqual(["S01"]);
    await fake.engine.commands.feed([file("S05", { contract: ["API.md#POST /schedule"] })]);
    await fake.settle();
    expect(busy(fake)).toEqual(["S01"]);
    const landed = fake.landed.length;
    mark(anOid(101 + landed));
    fake.behaviour.files = (commit) => ({ "API.md": commit >= anOid(101 + landed) ? after : before });
    fake.end("shop--S01--1", done("S01"));
    await fake.settle();
    expect(fake.stateOf("S01")?.kind).toBe("merged");
    expect(factsOf(fake, "contract-changed")).toHaveLength(1);
    expect(busy(fake)).toContain("S05");
    expect(fake.sessions.get("shop--S05--1")?.job.prompt).toContain("Takes posts and a zone.");
    expect(fake.notices.size).toBe(0);
  });
});
