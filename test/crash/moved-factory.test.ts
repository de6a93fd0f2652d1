import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { eventually } from "../kit/eventually.ts";
import { isRunning } from "../kit/find-processes.ts";
import { makeRealFactory } from "../kit/real-factory.ts";
import type { SshLab } from "../kit/real-sshd.ts";
import { expectNothingLost, expectWhole } from "./expect-whole.ts";
import { inFleet } from "./in-fleet.ts";
import { endDaemon, playThrough, startProject } from "./play-out.ts";
import { oneTask, threeAtOnce } from "./shop-specs.ts";

/** The same keys and names, in the home of a person on another machine. */
function copySshSettings(lab: SshLab): { HOME: string; DISPATCH_SSH_CONFIG: string } {
  const home = join(lab.dir, "another-home");
  const folder = join(home, ".ssh");
  const config = join(folder, "config");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  copyFileSync(lab.key, join(folder, "id_ed25519"));
  writeFileSync(config, readFileSync(lab.configFile, "utf8").replaceAll(lab.key, join(folder, "id_ed25519")));
  return { HOME: home, DISPATCH_SSH_CONFIG: config };
}

it("a factory that is moved with its ledger takes its sessions over, and leaves another one's on the same machines alone", {
  timeout: 180_000,
}, async () => {
  await inFleet(threeAtOnce(), { nodes: 2, slots: 3 }, async ({ factory, far, lab, machines }) => {
    const stranger = makeRealFactory(
      oneTask().map((spec) => ({ ...spec, id: "S09-one" })),
      { far },
    );
    try {
      for (const one of [factory, stranger]) {
        one.hold("agents");
        await one.up();
        await startProject(one);
      }
      await eventually("three agents and a stranger", () => factory.held("agents").length === 3 && stranger.held("agents").length === 1);
      const agents = [...factory.held("agents"), ...stranger.held("agents")];
      factory.daemon().kill("SIGKILL");
      await factory.daemon().ended;
      const before = dirname(factory.dir);
      factory.move(copySshSettings(lab));
      expect(dirname(factory.dir)).not.toBe(before);
      await factory.up();
      expectNothingLost(factory);
      expect(agents.every(isRunning)).toBe(true);
      factory.release("agents");
      await playThrough(factory);
      await endDaemon(factory);
      expect(stranger.held("agents").every(isRunning)).toBe(true);
      stranger.release("agents");
      await playThrough(stranger);
      await endDaemon(stranger);
      for (const one of [factory, stranger]) {
        expect(
          one
            .agentRuns()
            .map((run) => run.attempt)
            .every((attempt) => attempt.endsWith("--1")),
        ).toBe(true);
        await expectWhole(one);
      }
      expect(factory.agentRuns()).toHaveLength(3);
      expect(machines.flatMap((machine) => machine.hosts())).toEqual([]);
    } finally {
      await stranger.close();
    }
  });
});
