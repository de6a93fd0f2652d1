import { patternProblem, projectIdPattern, waivableGates } from "@dispatch/core";
import { parseTarget } from "@dispatch/fleet";
import * as z from "zod";

const command = z.string().trim().min(1, "is empty").describe("a shell command");
const projectName = z
  .string()
  .regex(projectIdPattern, "is not a project name: lower-case letters, digits and single dashes, starting with a letter, at most 40 characters")
  .max(40);
const executorName = z.string().regex(/^[a-z][a-z0-9-]*$/, "is not an executor name: lower-case letters, digits and dashes");
const kebab = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "is not a label: lower-case letters, digits and single dashes");

const VerifyEntry = z.union([
  command,
  z.strictObject({
    run: command,
    cwd: z.string().default("."),
    timeout_s: z.number().int().positive().max(86_400).optional(),
    env: z.record(z.string(), z.string()).default({}),
  }),
]);

/** `verify:` of a project: one command or several. */
export const Verify = z.union([VerifyEntry, z.array(VerifyEntry).min(1, "is an empty list; name at least one command")]);
export type Verify = z.infer<typeof Verify>;

const pattern = z.string().superRefine((text, context) => {
  const problem = patternProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

const WaiverEntry = z.strictObject({
  gate: z.enum(waivableGates).describe("a gate that judges files; scope has scope_allow, an empty change allow_empty in the spec"),
  paths: z.array(pattern).min(1, "is an empty list; name the paths"),
  because: z.string().trim().min(8, "is too short; say why in words").describe("shown with every finding it lets pass"),
});

/** `gates:` of a project. */
export const Gates = z.strictObject({
  placeholder_allow: z.array(z.string()).default([]).describe("globs of files in which placeholder words are the subject"),
  placeholder_words: z.array(z.string().min(1)).default([]).describe("more words that count as placeholders"),
  marker_allow: z.array(z.string()).default([]).describe("globs of files that may hold conflict markers"),
  scope_allow: z.array(z.string()).default([]).describe("globs that every task may change"),
  tests_min: z
    .strictObject({
      unit: z.number().int().min(0).optional(),
      ui: z.number().int().min(0).optional(),
      e2e: z.number().int().min(0).optional(),
    })
    .default({})
    .describe("how many tests of a kind verify must run where the spec does not say"),
  protected: z.array(pattern).default([]).describe("paths and globs that need a person, besides those that always do"),
  max_file_kb: z.number().int().positive().max(1_048_576).optional().describe("a larger file is red, in KiB; default 500"),
  waive: z.array(WaiverEntry).default([]).describe("findings of a gate that may pass on some paths, and why"),
});

const patterns = z.array(
  z.string().superRefine((text, context) => {
    const problem = patternProblem(text);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  }),
);

const KeepDays = z
  .union([z.number().int().min(1).max(36_500), z.literal("forever")], { error: 'is neither a whole number of days above 0 nor the word "forever"' })
  .describe("how long results and salvage of merged and cancelled tasks stay in the hub; those of all others always do");

const ProjectEntry = z.strictObject({
  repo: z.string().min(1).describe("path or URL of the repository; landed work is published to it"),
  branch: z.string().min(1).default("main"),
  publish: z
    .enum(["push", "pull-request"])
    .default("push")
    .describe("push main to the branch by fast-forward, or keep a pull request open that brings it there"),
  publish_branch: z
    .string()
    .regex(/^[A-Za-z0-9][\w./-]*$/, "is not a name for a branch")
    .default("dispatch/main")
    .describe("with pull-request: the branch at origin that the pull request comes from; nobody else may push to it"),
  forge: z.enum(["gh", "glab"]).optional().describe("with pull-request: the program that opens it; default by the host that repo names"),
  verify: Verify.optional().describe("what must be green before and after landing; may also stand in the repository's .dispatch.yaml"),
  landing: z.enum(["continuous", "on-collect"]).default("continuous"),
  executor: z.string().optional().describe("executor of specs that name none"),
  rounds: z.number().int().min(1).max(3).default(3),
  contracts: patterns.default([]).describe("paths and globs of the shared contract; every task reads them, and who changes them runs alone"),
  paths: z
    .strictObject({
      shared: patterns
        .default([])
        .describe("files that several tasks may change at once, where git merges them cleanly: lists of exports, registries"),
      generated: z
        .array(
          z.strictObject({
            paths: z.array(pattern).min(1, "is an empty list; name the files that the command writes"),
            run: command,
            cwd: z.string().default("."),
            timeout_s: z.number().int().positive().max(86_400).default(600),
            env: z.record(z.string(), z.string()).default({}),
          }),
        )
        .default([])
        .describe("files that a command makes out of the others, such as lock files: where several tasks changed one, it is made again"),
      barrier: patterns
        .default([
          "package.json",
          "**/package.json",
          "tsconfig*.json",
          ".github/**",
          ".gitlab-ci.yml",
          "pyproject.toml",
          "go.mod",
          "Cargo.toml",
          "pom.xml",
        ])
        .describe("files that every test run rests on; a task that changes one lands by itself"),
    })
    .prefault({})
    .describe("how changes of these paths land; all others are taken over whole, by one task at a time"),
  preflight: z
    .boolean()
    .default(false)
    .describe("at feed, run every new spec's own verify commands on the base commit; without it those of bugfix specs alone"),
  share: z.number().positive().max(100).default(1).describe("weight among projects of equal urgency"),
  salvage_keep_days: KeepDays.optional(),
  gates: Gates.prefault({}),
});

const ExecutorEntry = z.strictObject({
  command: z
    .array(z.string())
    .min(1, "is empty; write the program and its arguments as a list")
    .describe("{prompt} and {promptFile} are replaced; no shell"),
  prompt: z.enum(["argument", "file", "stdin"]).default("stdin"),
  timeout_s: z.number().int().positive().max(86_400).default(3600).describe("wall time of one round"),
  env: z.record(z.string(), z.string()).default({}),
});

/** dispatch.yaml */
export const Factory = z.strictObject({
  version: z.literal(1, { error: "must be 1" }),
  projects: z.record(projectName, ProjectEntry).default({}),
  executors: z.record(executorName, ExecutorEntry).default({}),
  salvage_keep_days: KeepDays.default(90),
  daemon: z
    .strictObject({
      port: z.number().int().min(0).max(65_535).default(0).describe("loopback port of the HTTP door; 0 takes a free one"),
    })
    .prefault({}),
});
export type Factory = z.infer<typeof Factory>;

const mebibytes = z.number().int().positive();

const NodeLimits = z
  .strictObject({
    memory_mb: mebibytes.optional().describe("memory in MiB"),
    cpus: z.number().positive().max(4096).optional().describe("cores; parts of one count"),
    processes: z.number().int().min(16, "is too few for any agent; at least 16").optional().describe("processes and threads at once"),
    output_mb: mebibytes.optional().describe("what its commands may print in one round, in MiB"),
  })
  .describe("what everything that one attempt starts may take together, where the node can enforce it; default no limit");

const LowWater = z
  .strictObject({
    disk_mb: z.number().int().min(0).optional().describe("default a tenth of the disk, at most 2048"),
    memory_mb: z.number().int().min(0).optional().describe("default a tenth of the memory, at most 512"),
  })
  .describe("with less free than this, in MiB, it takes no new tasks until there is a fifth more again; 0: never mind");

/** One machine of nodes.json */
const NodeEntry = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, "is not a node name: lower-case letters, digits and dashes"),
  transport: z
    .enum(["auto", "ssh2", "openssh", "local"])
    .optional()
    .describe("how it is reached; default auto for a node with ssh_target, local for this machine"),
  ssh_target: z
    .string()
    .refine((text) => parseTarget(text) !== undefined, "is no SSH target: user@host, user@host:port, or a name from your SSH configuration")
    .optional()
    .describe("a machine behind SSH: user@host, user@host:port, or a name from your SSH configuration"),
  host_key: z
    .string()
    .regex(/^([a-z0-9@.-]+ )?SHA256:[A-Za-z0-9+/]{43}$/, "is no fingerprint of a host key")
    .optional()
    .describe(
      "the accepted host key, as ssh-keygen -lf shows it, with or without its type in front; without it the node stays down and says which it shows",
    ),
  socket: z
    .string()
    .regex(/^(\/|~\/)[^\p{Cc}"%$]+$/u, "is no path of a socket: it begins with / or ~/ and has no quotes, %, $ or control characters")
    .optional()
    .describe(
      "control socket (ControlPath) of an OpenSSH master that you keep open yourself: used first while it is there, with the host key that your ssh accepted",
    ),
  mode: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "is not a mode: lower-case letters, digits and single dashes")
    .optional()
    .describe("what its agents work with, such as hybrid, glm, minimax, codex, claude or opencode; for people and for bootstrap"),
  slots: z.number().int().min(1).max(512).describe("how many agents may run at once"),
  gate_slots: z
    .number()
    .int()
    .min(0)
    .max(64)
    .default(1)
    .describe("how many test runs of landings may take place there at once; 0: only when there is no other node"),
  low_priority: z.boolean().default(false).describe("gets work only when no other node has room"),
  labels: z.array(kebab).default([]).describe("what specs may ask for with node_labels"),
  executors: z
    .array(executorName)
    .min(1, "is an empty list; leave it out to allow all")
    .optional()
    .describe("executors that can run here; default all"),
  cpus: z.number().positive().max(4096).optional().describe("cores for tasks; default all of the machine"),
  memory_mb: z.number().int().positive().optional().describe("memory for tasks in MiB; default all of the machine"),
  gpus: z.number().int().min(0).max(64).default(0),
  work_dir: z
    .string()
    .min(1)
    .optional()
    .describe("folder for repositories, worktrees and attempts; default .dispatch/node, on a machine behind SSH ~/.dispatch"),
  limits: NodeLimits.prefault({}),
  low_water: LowWater.prefault({}),
  quota_mb: mebibytes.optional().describe("what all of work_dir may take on its disk, in MiB; beyond it nothing new is started there"),
  project_quota_mb: mebibytes.optional().describe("the same for the repository and worktrees of each project"),
  keep_logs_days: z.number().min(0).max(3650).default(7).describe("how long records and logs of attempts that are over stay, while there is room"),
  lost_after_minutes: z
    .union([z.number().positive().max(10_080), z.literal("never")], { error: 'is neither a number of minutes above 0 nor the word "never"' })
    .optional()
    .describe("out of reach for so long, its tasks are given to other nodes; default 10 for a machine behind SSH, never for this machine"),
});

/** nodes.json */
export const Nodes = z.strictObject({
  $schema: z.string().optional(),
  nodes: z.array(NodeEntry).min(1, "names no node"),
});
export type Nodes = z.infer<typeof Nodes>;

/** .dispatch.yaml in a project's repository, read at the base revision */
export const RepositoryPolicy = z.strictObject({
  verify: Verify.optional(),
  rounds: z.number().int().min(1).max(3).optional(),
  gates: Gates.optional(),
});
export type RepositoryPolicy = z.infer<typeof RepositoryPolicy>;
