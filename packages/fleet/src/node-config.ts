import { type AttemptLimits, type NodeId, noLimits } from "@dispatch/core";

interface CommonConfig {
  id: NodeId;
  slots: number;
  /** Gate runs at once; 0: only when there is no other node. */
  gateSlots: number;
  lowPriority: boolean;
  labels: readonly string[];
  /** Executors that can run there; null: all. */
  executors: readonly string[] | null;
  /** What all its tasks together may take; null: what the machine has. */
  capacity: { cpus: number | null; memoryMb: number | null; gpus: number };
  /** What one attempt may take. */
  limits: AttemptLimits;
  /** Less than this free, and the node takes no new tasks; null: a tenth of what there is, at most 2 GiB of disk and 512 MiB of memory. */
  lowWater: { diskBytes: number | null; memoryBytes: number | null };
  quota: { bytes: number | null; projectBytes: number | null };
  /** After how long out of reach its attempts are fenced, in ms; null: never. */
  lostAfterMs: number | null;
}

/** A node that is this machine. */
export interface LocalNodeConfig extends CommonConfig {
  /** Folder of the node's files; made when it is not there. */
  home: string;
}

/** A node that is reached with SSH. */
export interface SshNodeConfig extends CommonConfig {
  ssh: {
    /** `[user@]host[:port]`, or a name from the user's SSH configuration. */
    target: string;
    transport: "auto" | "ssh2" | "openssh";
    /** The accepted host key: `SHA256:…`, with or without its type in front. Null: none yet, so the node stays down and says which it shows. */
    hostKey: string | null;
    /** Folder of the node's files, absolute or from the login's home. */
    workDir: string;
    /** Control socket of a master of the system's ssh that the user keeps open; `~/` in front is the home of this machine. */
    socket?: string;
  };
}

export type NodeConfig = LocalNodeConfig | SshNodeConfig;

/** What holds for a node about which nothing else is configured. */
export const plainConfig: Pick<CommonConfig, "gateSlots" | "limits" | "lowWater" | "quota" | "lostAfterMs"> = {
  gateSlots: 1,
  limits: noLimits,
  lowWater: { diskBytes: null, memoryBytes: null },
  quota: { bytes: null, projectBytes: null },
  lostAfterMs: null,
};
