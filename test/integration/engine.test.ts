import { type CommandResult, FactoryError } from "@dispatch/core";
import { foldEvents } from "@dispatch/store";
import { describe, expect, it } from "vitest";
import { anOid, aSpec } from "../kit/build-facts.ts";
import { createFakeFactory, greenRun, redRun } from "../kit/fake-factory.ts";

const file = (id: string, change: Parameters<typeof aSpec>[1] = {}, text = `# ${id}\n`) => ({
  spec: aSpec(id, change),
  digest: `digest of ${text}`,
  text,
  path: `specs/shop/${id}.md`,
});

type Fake = ReturnType<typeof createFakeFactory>;

async function started(fake: Fake, ...files: ReturnType<typeof file>[]): Promise<Fake> {
  await fake.engine.start();
  await fake.engine.commands.startProject("shop");
  await fake.engine.commands.feed(files);
  await fake.settle();
  return fake;
}

describe("the engine", () => {
  it("takes tasks to main in the order of their dependencies, and discards what was collected", async () => {
    const fake = await started(createFakeFactory(), file("S01"), file("S02", { dependsOn: ["S01"] }), file("S03", { dependsOn: ["S02"] }));
    expect(["S01", "S02", "S03"].map((id) => fake.stateOf(id)?.kind)).toEqual(["merged", "merged", "merged"]);
    expect(fake.landed).toHaveLength(3);
    expect(fake.landed.map((one) => one.onto)).toEqual([anOid(1), ...fake.landed.slice(0, 2).map((one) => one.commit)]);
    expect([...fake.sessions.values()].every((session) => session.discarded)).toBe(true);
    expect(fake.ledger.load().pending).toEqual([]);
  });

  it("ends in the world that its log folds to", async () => {
    const fake = await started(createFakeFactory(), file("S01"), file("S02", { dependsOn: ["S01"] }));
    expect(foldEvents(fake.ledger.events)).toEqual(fake.ledger.load().world);
  });

  it("parks a task whose rounds are spent, with its salvage named, and goes on with the others", async () => {
    const fake = createFakeFactory({
      behaviour: {
        outcome: (job) =>
          job.specId === "S01" ? { kind: "exhausted", rounds: 3, findings: [] } : { kind: "succeeded", tip: anOid(9), base: job.base, rounds: 1 },
      },
    });
    await started(fake, file("S01"), file("S02"), file("S03", { dependsOn: ["S01"] }));
    expect(fake.stateOf("S01")).toMatchObject({
      kind: "parked",
      because: { code: "rounds-exhausted", salvage: "refs/dispatch/salvage/shop--S01--1" },
    });
    expect(fake.stateOf("S02")?.kind).toBe("merged");
    expect(fake.stateOf("S03")?.kind).toBe("planned");
    fake.behaviour.outcome = (job) => ({ kind: "succeeded", tip: anOid(9), base: job.base, rounds: 1 });
    await fake.engine.commands.retry("shop/S01", "lead");
    await fake.settle();
    expect(fake.stateOf("S01")).toMatchObject({ kind: "merged", attempt: "shop--S01--2" });
    expect(fake.stateOf("S03")?.kind).toBe("merged");
  });

  it("tries again after a lost session with growing pauses, and parks when the attempts are spent", async () => {
    const fake = createFakeFactory({ behaviour: { outcome: () => ({ kind: "lost", because: "gone" }) } });
    await started(fake, file("S01", { attempts: 2 }));
    expect(fake.stateOf("S01")).toMatchObject({ kind: "backoff", tries: 1 });
    fake.clock.advance(999);
    await fake.settle();
    expect(fake.stateOf("S01")?.kind).toBe("backoff");
    fake.clock.advance(1);
    await fake.settle();
    expect(fake.stateOf("S01")).toMatchObject({ kind: "parked", tries: 2, because: { code: "attempts-exhausted" } });
  });

  it.each([
    [["src/*.ts"], true],
    [["**/package.json"], undefined],
  ])("tells of a change of %j, by what it changed, that it lands by itself: %s", async (barrier, alone) => {
    const fake = createFakeFactory({ barrier, landing: "on-collect" });
    await started(fake, file("S01"));
    expect(fake.stateOf("S01")).toMatchObject({ kind: "queued" });
    expect((fake.stateOf("S01") as { alone?: true }).alone).toBe(alone);
  });

  it("gives a branch that does not fit on main back with both sides named, and lands the next attempt", async () => {
    const fake = createFakeFactory({ behaviour: { conflict: (_spec, n) => n === 1 } });
    await started(fake, file("S01"));
    expect(fake.stateOf("S01")).toMatchObject({ kind: "merged", attempt: "shop--S01--2" });
    const prompt = fake.sessions.get("shop--S01--2")?.job.prompt ?? "";
    expect(prompt).toContain("src/x.ts");
    expect(prompt).toContain("409");
  });

  it("refuses a candidate whose tests are red, and never moves main to it", async () => {
    const fake = createFakeFactory({ behaviour: { verify: (commit) => (commit === anOid(1) ? greenRun : redRun) } });
    await started(fake, file("S01", { attempts: 2 }));
    expect(fake.stateOf("S01")).toMatchObject({ kind: "parked", because: { code: "refused-at-landing" } });
    expect(fake.landed).toEqual([]);
  });

  it("freezes landing instead of blaming a branch when main itself is red", async () => {
    const fake = createFakeFactory({ behaviour: { verify: () => redRun } });
    await started(fake, file("S01"));
    expect(fake.stateOf("S01")?.kind).toBe("queued");
    expect(fake.engine.world.projects.get("shop")?.landing.kind).toBe("frozen");
    fake.behaviour.verify = () => greenRun;
    await fake.engine.commands.startProject("shop");
    await fake.settle();
    expect(fake.stateOf("S01")?.kind).toBe("merged");
  });

  it("lands again when main moved under it", async () => {
    const fake = createFakeFactory();
    let moved = false;
    fake.behaviour.verify = () => {
      if (!moved) fake.setMain(anOid(77));
      moved = true;
      return greenRun;
    };
    await started(fake, file("S01"));
    expect(fake.stateOf("S01")?.kind).toBe("merged");
    expect(fake.landed.map((one) => one.onto)).toEqual([anOid(77)]);
  });

  it("tries a failed effect again until it is done, and says so meanwhile", async () => {
    const fake = createFakeFactory();
    let broken = true;
    fake.behaviour.fail = (doing) =>
      broken && doing === "collect-attempt" ? new FactoryError("DISK_FULL", "no room", { retry: "later" }) : undefined;
    await started(fake, file("S01"));
    expect(fake.stateOf("S01")?.kind).toBe("collecting");
    expect(fake.engine.troubles()).toMatchObject([{ code: "DISK_FULL", failures: 1 }]);
    broken = false;
    fake.clock.advance(60_000);
    await fake.settle();
    expect(fake.engine.troubles()).toEqual([]);
    expect(fake.stateOf("S01")?.kind).toBe("merged");
  });

  it("parks a task whose executor is not configured, with what to do", async () => {
    const fake = await started(createFakeFactory(), file("S01", { executor: "missing" }));
    expect(fake.stateOf("S01")).toMatchObject({ kind: "parked", because: { code: "agent-unusable" } });
  });

  it("cancels a running task by stopping its session first, and keeps its work", async () => {
    const fake = createFakeFactory({ behaviour: { outcome: () => undefined } });
    await started(fake, file("S01"));
    expect(fake.stateOf("S01")?.kind).toBe("running");
    await fake.engine.commands.cancel("shop/S01", "lead");
    await fake.settle();
    expect(fake.stateOf("S01")?.kind).toBe("cancelled");
    expect(fake.calls.filter((call) => call.includes("S01"))).toEqual([
      "start-attempt shop--S01--1",
      "stop-attempt shop--S01--1",
      "collect-attempt shop--S01--1",
      "discard-workspace shop--S01--1",
    ]);
  });

  it("takes running sessions over after a crash, with no report lost or repeated", async () => {
    const fake = createFakeFactory({ behaviour: { outcome: () => undefined } });
    await started(fake, file("S01"));
    await fake.crash();
    await fake.settle();
    expect(fake.stateOf("S01")?.kind).toBe("running");
    fake.end("shop--S01--1", { kind: "succeeded", tip: anOid(9), base: anOid(1), rounds: 1 });
    await fake.settle();
    expect(fake.stateOf("S01")?.kind).toBe("merged");
    expect(
      fake.ledger.events
        .filter(({ event }) => event.type === "wrapper-reported")
        .map(({ event }) => (event.type === "wrapper-reported" ? event.seq : 0)),
    ).toEqual([1, 2, 3]);
    expect(fake.calls.filter((call) => call.startsWith("start-attempt"))).toHaveLength(1);
  });

  it("finds an attempt lost that its node does not know any more", async () => {
    const fake = createFakeFactory({ behaviour: { outcome: () => undefined } });
    await started(fake, file("S01"));
    fake.sessions.clear();
    await fake.crash();
    await fake.settle();
    expect(fake.stateOf("S01")).toMatchObject({ kind: "backoff", tries: 1 });
  });

  it("stops, and acts on nothing, when a fact cannot be written", async () => {
    const fake = createFakeFactory();
    await fake.engine.start();
    await fake.engine.commands.startProject("shop");
    fake.ledger.breakWith(new FactoryError("DISK_FULL", "no room"));
    await expect(fake.engine.commands.feed([file("S01")])).rejects.toMatchObject({ code: "DISK_FULL" });
    await fake.settle();
    expect(fake.calls).toEqual([]);
  });
});

describe("the order of fact and act", () => {
  it("starts no effect whose cause did not become durable", async () => {
    const fake = createFakeFactory();
    await fake.engine.start();
    await fake.engine.commands.startProject("shop");
    await fake.settle();
    await fake.engine.commands.feed([file("S01")]);
    fake.ledger.breakWith(new FactoryError("DISK_FULL", "no room"));
    await fake.settle();
    expect(fake.stateOf("S01")?.kind).toBe("starting");
    expect(fake.calls).toEqual([]);
    expect(fake.fatal).toHaveLength(1);
  });
});

describe("feeding", () => {
  it("takes the same text once, an edit before the first attempt as a revision, and refuses an edit after it", async () => {
    const fake = createFakeFactory({ behaviour: { outcome: () => undefined } });
    await fake.engine.start();
    const { commands } = fake.engine;
    expect(await commands.feed([file("S01")])).toMatchObject({ planned: ["shop/S01"] });
    expect(await commands.feed([file("S01")])).toMatchObject({ unchanged: ["shop/S01"], planned: [] });
    expect(await commands.feed([file("S01", {}, "edited")])).toMatchObject({ revised: ["shop/S01"] });
    await commands.startProject("shop");
    await fake.settle();
    expect(fake.stateOf("S01")?.kind).toBe("running");
    await expect(commands.feed([file("S01", {}, "again"), file("S02")])).rejects.toMatchObject({ code: "SPEC_CHANGED" });
    expect(fake.stateOf("S02")).toBeUndefined();
  });
});

describe("a collect", () => {
  it("lands what is queued, then publishes", async () => {
    const fake = await started(createFakeFactory({ landing: "on-collect" }), file("S01"), file("S02"));
    expect([fake.stateOf("S01")?.kind, fake.stateOf("S02")?.kind]).toEqual(["queued", "queued"]);
    await fake.engine.commands.collect("shop", "lead");
    await fake.settle();
    expect([fake.stateOf("S01")?.kind, fake.stateOf("S02")?.kind]).toEqual(["merged", "merged"]);
    expect(fake.published).toEqual([fake.main()]);
    expect(fake.engine.world.projects.get("shop")?.collect).toMatchObject({ kind: "idle", last: { outcome: "published" } });
  });

  it("takes origin's commits in, tested, before anything else lands", async () => {
    const fake = createFakeFactory({ landing: "on-collect", behaviour: { takeIn: () => ({ outcome: "ahead", candidate: anOid(50), commits: 2 }) } });
    await started(fake, file("S01"));
    await fake.engine.commands.collect("shop", "lead");
    await fake.settle();
    expect(fake.landed[0]).toEqual({ commit: anOid(50), onto: anOid(1) });
    expect(fake.landed[1]?.onto).toBe(anOid(50));
  });

  it("stops with the paths named when origin and ours changed the same, and publishes nothing", async () => {
    const fake = createFakeFactory({
      behaviour: { takeIn: () => ({ outcome: "conflict", paths: ["src/x.ts"], origin: anOid(50), hub: "/factory/.dispatch/hub/shop.git" }) },
    });
    await started(fake, file("S01"));
    await fake.engine.commands.collect("shop", "lead");
    await fake.settle();
    expect(fake.engine.world.projects.get("shop")?.collect).toMatchObject({ kind: "idle", last: { outcome: "stopped", code: "ORIGIN_CONFLICT" } });
    expect(fake.published).toEqual([]);
  });

  it("begins again when origin moved while publishing", async () => {
    const fake = createFakeFactory();
    let first = true;
    fake.behaviour.publish = (main) => {
      if (!first) return { outcome: "published", commit: main };
      first = false;
      return { outcome: "origin-moved" };
    };
    await started(fake, file("S01"));
    await fake.engine.commands.collect("shop", "lead");
    await fake.settle();
    expect(fake.published).toEqual([fake.main()]);
    expect(fake.ledger.events.filter(({ event }) => event.type === "origin-taken-in")).toHaveLength(2);
  });
});

describe("the watch of main", () => {
  async function published(behaviour: Partial<Fake["behaviour"]> = {}): Promise<Fake> {
    const fake = await started(createFakeFactory({ landing: "on-collect", behaviour }), file("S01"));
    await fake.engine.commands.collect("shop", "lead");
    await fake.settle();
    return fake;
  }
  const project = (fake: Fake) => fake.engine.world.projects.get("shop");
  const watched = (fake: Fake) => fake.ledger.events.flatMap(({ event }) => (event.type === "main-watched" ? [event] : []));

  /** What the tests say, run by run, once main is published; the last answer stays. */
  function afterPublishing(...answers: readonly CommandResult[]): Pick<Fake["behaviour"], "verify" | "publish"> {
    let runs: number | undefined;
    return {
      publish: (main) => {
        runs = 0;
        return { outcome: "published", commit: main };
      },
      verify: () => {
        if (runs === undefined) return greenRun;
        runs += 1;
        return answers[Math.min(runs, answers.length) - 1] ?? greenRun;
      },
    };
  }

  it("runs the tests on what was published and tells that they are green", async () => {
    const fake = await published();
    expect(watched(fake)).toMatchObject([{ commit: fake.main(), outcome: "green", findings: [] }]);
    expect(project(fake)).toMatchObject({ landing: { kind: "open" }, collect: { last: { outcome: "published", watched: "green" } } });
    expect(fake.ledger.load().pending).toEqual([]);
  });

  it("freezes landing when they are red twice, and says that the car was green", async () => {
    const fake = await published(afterPublishing(redRun));
    expect(watched(fake)).toMatchObject([{ commit: fake.main(), outcome: "red" }]);
    const landing = project(fake)?.landing;
    if (landing?.kind !== "frozen") throw new Error("landing is open");
    expect(landing.because).toContain(fake.main().slice(0, 12));
    expect(landing.because).toContain("the car that landed it was green");
    await fake.engine.commands.startProject("shop");
    await fake.settle();
    expect(project(fake)?.landing.kind).toBe("open");
  });

  it("notes a flake and does not believe it", async () => {
    const fake = await published(afterPublishing(redRun, greenRun));
    expect(watched(fake)).toMatchObject([{ outcome: "green", findings: [{ severity: "note" }] }]);
    expect(project(fake)?.landing.kind).toBe("open");
  });

  it("runs again what the machine ended, and believes nothing of it", async () => {
    const killed: CommandResult = { ...redRun, outcome: "killed", exitCode: null, signal: "SIGKILL" };
    const fake = await published(afterPublishing(killed, greenRun));
    expect(watched(fake)).toEqual([]);
    expect(fake.engine.troubles()).toMatchObject([{ code: "NODE_FAILED", failures: 1 }]);
    fake.clock.advance(60_000);
    await fake.settle();
    expect(watched(fake)).toMatchObject([{ outcome: "green", findings: [] }]);
  });

  it("stops a collect that is under way", async () => {
    const fake = await started(createFakeFactory({ landing: "on-collect" }), file("S01"));
    Object.assign(fake.behaviour, afterPublishing(redRun));
    const { verify } = fake.behaviour;
    let runs = 0;
    fake.behaviour.verify = (commit) => {
      const result = verify(commit);
      if (result === redRun) runs += 1;
      // The next collect begins while the second run is under way.
      if (runs === 2) void fake.engine.commands.collect("shop", "lead");
      return result;
    };
    await fake.engine.commands.collect("shop", "lead");
    await fake.settle();
    expect(project(fake)).toMatchObject({ landing: { kind: "frozen" }, collect: { kind: "idle", last: { outcome: "stopped", code: "MAIN_RED" } } });
  });

  it("says nothing of a commit when a newer one was published while its tests were in trouble", async () => {
    const killed: CommandResult = { ...redRun, outcome: "killed", exitCode: null, signal: "SIGKILL" };
    const fake = await published(afterPublishing(killed));
    const old = fake.main();
    fake.behaviour.verify = () => greenRun;
    await fake.engine.commands.feed([file("S02")]);
    await fake.settle();
    await fake.engine.commands.collect("shop", "lead");
    await fake.settle();
    fake.behaviour.verify = (commit) => (commit === old ? redRun : greenRun);
    fake.clock.advance(60_000);
    await fake.settle();
    expect(watched(fake)).toMatchObject([{ commit: fake.main(), outcome: "green" }]);
    expect(project(fake)?.landing.kind).toBe("open");
  });
});
