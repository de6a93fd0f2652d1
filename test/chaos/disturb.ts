import type { SmallDisk } from "../e2e/kit/small-disk.ts";
import type { CuttableLink } from "../kit/cuttable-link.ts";
import { killHard } from "../kit/find-processes.ts";
import type { RealFactory } from "../kit/real-factory.ts";
import type { RealFleet } from "../kit/real-fleet.ts";
import type { SshMachine } from "../kit/real-sshd.ts";
import type { Happening } from "./draw-plan.ts";

/** Does one thing to the factory or to one of its machines. Settles when it is done; a controller that was started may still be coming up. */
export async function disturb(fleet: RealFleet, happening: Happening): Promise<void> {
  const { factory } = fleet;
  const { do: what } = happening;
  if (what === "kill-controller") {
    factory.daemon().kill("SIGKILL");
    await factory.daemon().ended;
  } else if (what === "start-controller") await startController(factory);
  else if (what === "fill-disk") diskOf(fleet).fill();
  else if (what === "free-disk") diskOf(fleet).free();
  else if (what === "accept-host-key") {
    await machineOf(fleet, happening).renewHostKey();
    fleet.acceptHostKey(machineOf(fleet, happening));
  } else await disturbMachine(machineOf(fleet, happening), what);
}

/** It may be killed again before it is up. */
async function startController(factory: RealFactory): Promise<void> {
  if ((await factory.up()) !== undefined) return;
  const { signal } = await factory.daemon().ended;
  if (signal !== "SIGKILL") throw new Error(`the controller did not come up: ${factory.daemon().output()}`);
}

type OnMachine = Exclude<Happening["do"], "kill-controller" | "start-controller" | "fill-disk" | "free-disk" | "accept-host-key">;

async function disturbMachine(machine: SshMachine, what: OnMachine): Promise<void> {
  switch (what) {
    case "cut-link":
      return linkOf(machine).cut();
    case "part-link":
      return linkOf(machine).part();
    case "freeze-link":
      return linkOf(machine).freeze();
    case "mend-link":
      return linkOf(machine).mend();
    case "hang-sshd":
      return machine.hang(true);
    case "wake-sshd":
      return machine.hang(false);
    case "kill-sshd":
      return await machine.stop();
    case "start-sshd":
    case "power-on":
      return await machine.start();
    case "kill-host":
      for (const { pid } of machine.hosts()) killHard(pid);
      return;
    case "kill-tmux":
      for (const pid of machine.tmuxServers()) killHard(pid);
      return;
    case "power-off":
      return await machine.powerOff();
    case "change-host-key":
      return await machine.renewHostKey();
    case "restore-host-key":
      return await machine.restoreHostKey();
  }
}

function machineOf({ machines }: RealFleet, { node }: Happening): SshMachine {
  const machine = node === null ? undefined : machines[node];
  if (machine === undefined) throw new Error(`there is no machine ${node}`);
  return machine;
}

function linkOf({ name, link }: SshMachine): CuttableLink {
  if (link === undefined) throw new Error(`${name} has no link`);
  return link;
}

function diskOf({ disk }: RealFleet): SmallDisk {
  if (disk === undefined) throw new Error("no machine has a small disk");
  return disk;
}
