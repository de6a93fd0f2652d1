import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../kit/eventually.ts";
import { isRunning } from "../kit/find-processes.ts";
import { makeSshLab } from "../kit/real-sshd.ts";
import { expectNothingLost, expectWhole } from "./expect-whole.ts";
import { inFactory } from "./in-factory.ts";
import { endDaemon, playThrough, startProject } from "./play-out.ts";
import { threeAtOnce } from "./shop-specs.ts";

describe("a factory whose node is behind SSH", { timeout: 180_000 }, () => {
  it.each(["ssh2", "openssh"] as const)("lands everything once, though its link (%s) is cut and its daemon killed", async (transport) => {
    const lab = makeSshLab();
    try {
      const machine = await lab.add("far");
      const far = {
        entries: [{ name: "far", ssh_target: "far", transport, host_key: machine.hostKey() }],
        homes: [join(machine.home, ".dispatch")],
        env: { DISPATCH_SSH_CONFIG: lab.configFile },
      };
      const play = async (factory: Parameters<Parameters<typeof inFactory>[2]>[0]): Promise<void> => {
        factory.hold("agents");
        await factory.up();
        await startProject(factory);
        await eventually("three at work", () => factory.held("agents").length === 3);
        const agents = factory.held("agents");
        const [before] = machine.hosts();
        machine.cut();
        await eventually("another host", () => machine.hosts().some(({ pid }) => pid !== before?.pid));
        factory.daemon().kill("SIGKILL");
        await factory.daemon().ended;
        await eventually("no host without a daemon", () => machine.hosts().length === 0);
        expect(agents.every(isRunning)).toBe(true);
        await factory.up();
        expectNothingLost(factory);
        factory.release("agents");
        await playThrough(factory);
        await endDaemon(factory);
        await expectWhole(factory);
        expect(machine.hosts()).toEqual([]);
        expect(factory.agentRuns()).toHaveLength(3);
      };
      await inFactory(threeAtOnce(), `cut ${transport}`, play, { far });
    } finally {
      await lab.close();
    }
  });
});
