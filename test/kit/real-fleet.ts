import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { factoryPaths } from "@dispatch/protocol";
import { mountSmallDisk, type SmallDisk } from "../e2e/kit/small-disk.ts";
import { type FactorySpec, makeRealFactory, type RealFactory, type RealFactoryOptions } from "./real-factory.ts";
import { makeSshLab, type SshLab, type SshMachine } from "./real-sshd.ts";

export interface FleetOptions {
  nodes: number;
  slots: number;
  /** The last node's files lie on a disk that can be filled; takes root. */
  smallDisk?: boolean;
  /** A machine that loses power boots anew, with another boot id; takes root. */
  reboots?: boolean;
  /** More fields of every node's entry in nodes.json. */
  entry?: object;
}

/** Machines behind links that break, and a factory that works on them. */
export interface RealFleet {
  lab: SshLab;
  machines: readonly SshMachine[];
  /** Of the last node. */
  disk: SmallDisk | undefined;
  factory: RealFactory;
  /** What another factory on the same machines is made with. */
  far: NonNullable<RealFactoryOptions["far"]>;
  /** Writes the host key that a machine shows now into nodes.json. */
  acceptHostKey(machine: SshMachine): void;
  /** Ends everything and removes it; fails when processes of the factory are left. */
  close(): Promise<void>;
  /** Ends everything and keeps the files. */
  abandon(): Promise<void>;
}

const diskMebibytes = 24;
const transports = ["auto", "ssh2", "openssh", "auto"] as const;

export async function makeRealFleet(specs: readonly FactorySpec[], options: FleetOptions): Promise<RealFleet> {
  const lab = makeSshLab();
  const diskFolder = join(lab.dir, "small-disk");
  // Before the machines: sshd takes the mounts that are there when it starts.
  const disk = options.smallDisk === true ? await mountSmallDisk(diskFolder, diskMebibytes) : undefined;
  const machines: SshMachine[] = [];
  const entries: object[] = [];
  const homes: string[] = [];
  for (let n = 0; n < options.nodes; n++) {
    const machine = await lab.add(`node-${n + 1}`, { linked: true, reboots: options.reboots === true });
    const onSmallDisk = disk !== undefined && n === options.nodes - 1;
    const home = onSmallDisk ? join(diskFolder, "home") : join(machine.home, ".dispatch");
    const own = { name: machine.name, ssh_target: machine.name, transport: transports[n % transports.length], host_key: machine.hostKey() };
    machines.push(machine);
    homes.push(home);
    entries.push({ ...own, slots: options.slots, ...(onSmallDisk ? { work_dir: home } : {}), ...options.entry });
  }
  const far = { entries, homes, env: { DISPATCH_SSH_CONFIG: lab.configFile } };
  const factory = makeRealFactory(specs, { far });
  return {
    lab,
    machines,
    disk,
    factory,
    far,
    acceptHostKey(machine) {
      const file = join(factory.dir, factoryPaths.nodes);
      const { nodes } = JSON.parse(readFileSync(file, "utf8")) as { nodes: { name: string }[] };
      const accepted = nodes.map((node) => (node.name === machine.name ? { ...node, host_key: machine.hostKey() } : node));
      writeFileSync(`${file}.new`, JSON.stringify({ nodes: accepted }));
      renameSync(`${file}.new`, file);
    },
    async close() {
      disk?.free();
      try {
        await factory.close();
      } finally {
        await lab.end();
        await disk?.unmount();
        lab.remove();
      }
    },
    async abandon() {
      disk?.free();
      await factory.end();
      await lab.end();
      if (disk === undefined) return;
      execFileSync("cp", ["-a", diskFolder, `${diskFolder}-copy`]);
      await disk.unmount();
    },
  };
}
