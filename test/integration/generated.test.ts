import type { FactoryEvent, GeneratedFiles } from "@dispatch/core";
import { expect, it } from "vitest";
import { aSpec } from "../kit/build-facts.ts";
import { type Behaviour, createFakeFactory, redRun } from "../kit/fake-factory.ts";

const generated: readonly GeneratedFiles[] = [
  { paths: ["lock.json"], command: { run: "make lock", cwd: ".", timeoutSeconds: 60, env: {} } },
  { paths: ["api.json"], command: { run: "make api", cwd: ".", timeoutSeconds: 60, env: {} } },
];
const files = ["S01", "S02"].map((id) => ({
  spec: aSpec(id, { modifies: [`${id}.txt`, "lock.json"], attempts: 1 }),
  digest: id,
  text: `# ${id}\n`,
  path: `specs/shop/${id}.md`,
}));

async function played(behaviour: Partial<Behaviour>) {
  const fake = createFakeFactory({
    slots: 2,
    generated,
    behaviour: { outdated: ({ members }) => (members.length > 1 ? ["lock.json"] : []), ...behaviour },
  });
  await fake.engine.start();
  await fake.engine.commands.startProject("shop");
  await fake.engine.commands.feed(files);
  await fake.settle();
  return fake;
}

const factsOf = <T extends FactoryEvent["type"]>(fake: Awaited<ReturnType<typeof played>>, type: T) =>
  fake.ledger.events.flatMap(({ event }) => (event.type === type ? [event as Extract<FactoryEvent, { type: T }>] : []));

it("tasks that change one generated file work at once, and land in one car with that file made again", async () => {
  const fake = await played({});
  expect(["S01", "S02"].map((id) => fake.stateOf(id)?.kind)).toEqual(["merged", "merged"]);
  const [built, ...more] = factsOf(fake, "car-built");
  expect([built?.members.length, more.length]).toEqual([2, 0]);
  expect(fake.calls.filter((call) => call.startsWith("generate "))).toHaveLength(1);
  // What landed is what was made, and that was tested.
  expect(fake.landed.map(({ commit }) => commit)).toEqual([built?.candidate.commit]);
  expect(fake.calls).not.toContain(`generate ${built?.candidate.commit}`);
});

it("where it cannot be made again the car is red without a run, and nobody is blamed who can land alone", async () => {
  const fake = await played({ generate: () => redRun });
  expect(factsOf(fake, "car-failed")[0]?.findings).toMatchObject([{ gate: "landing", severity: "block", path: "lock.json" }]);
  expect(["S01", "S02"].map((id) => fake.stateOf(id)?.kind)).toEqual(["merged", "merged"]);
  expect(fake.landed).toHaveLength(2);
});

it("a command that the machine ended is run again", async () => {
  let times = 0;
  const killed = { ...redRun, outcome: "killed" as const, exitCode: null, signal: "SIGKILL" };
  const fake = await played({ generate: () => (++times === 1 ? killed : { ...redRun, exitCode: 0 }) });
  expect(factsOf(fake, "car-failed")).toEqual([]);
  fake.clock.advance(60_000);
  await fake.settle();
  expect([times, ["S01", "S02"].map((id) => fake.stateOf(id)?.kind)]).toEqual([2, ["merged", "merged"]]);
});
