import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import {
  type CommandResult,
  FactoryError,
  type Finding,
  type GatePolicy,
  laterSpecFields,
  type Oid,
  type TaskSpec,
  type VerifyCommand,
} from "@dispatch/core";
import { blobsToRead, type Change, type GateInput, judgeChange, judgeFailToPass, parseDiff, testsToProve } from "@dispatch/gates";
import { type ChangeView, openChange } from "@dispatch/git";
import { formatProblem, hasErrors, parseSpec } from "@dispatch/spec";
import { readEnvironment } from "../config/read-environment.ts";
import { policyAlone, policyFile, readRepositoryPolicy } from "../config/repository-policy.ts";
import { type ChosenGates, chooseGates } from "./choose-gates.ts";
import { type RanForGates, type RunOptions, runForGates, runOnBaseWith } from "./run-for-gates.ts";

export interface GateOptions {
  /** A folder of the repository. */
  repo: string;
  /** Undefined: where head left the default branch of origin, or main. */
  base?: string;
  head: string;
  /** A spec file, outside of both revisions. */
  spec?: string;
  /** Whether commands are run; undefined: where the policy at the base or the spec names some. */
  run?: boolean;
  signal: AbortSignal;
  /** Says one line about what is done or left out. */
  say(line: string): void;
}

/** What the gates say of a change between two revisions. */
export interface GateReport {
  base: Oid;
  head: Oid;
  /** Where the change starts: the commit that base and head forked at. */
  from: Oid;
  changedPaths: number;
  verify: readonly CommandResult[];
  findings: readonly Finding[];
  gates: ChosenGates;
}

/**
 * Judges what head brings beyond base with the gates of a factory, in any repository and without a factory. Policy and
 * waivers are those of the base. Throws USAGE, REPOSITORY_INVALID or CONFIG_INVALID where there is nothing to judge.
 */
export async function gateChange(options: GateOptions): Promise<GateReport> {
  const { say, head } = options;
  const view = await openChange({ folder: resolve(options.repo), base: options.base, head }, readEnvironment().all);
  if (!view.forked) say("base and head forked at no single commit: all that differs between them is judged");
  const uncommitted = head === "HEAD" ? await view.uncommitted() : 0;
  if (uncommitted > 0) say(`${uncommitted} ${uncommitted === 1 ? "file" : "files"} with uncommitted changes: only commits are judged`);
  const policy = policyAlone(readRepositoryPolicy(view.base.slice(0, 12), await view.readFile(view.base, policyFile)));
  const spec = options.spec === undefined ? null : await readSpec(options.spec, say);
  const own = spec?.verify ?? [];
  const chosen = chooseCommands(own.length > 0 ? own : policy.verify, options);
  const shown = await readShown(view, policy.gates);
  const input: GateInput = { spec: spec ?? anyTask, ...shown, verify: null, policy: policy.gates };
  return {
    base: view.base,
    head: view.head,
    from: view.from,
    changedPaths: shown.changes.length,
    ...(await judge(view, spec, input, chosen, options)),
  };
}

/** Stands in for the spec where there is none: owns every path, demands nothing, lets nothing pass. */
const anyTask: TaskSpec = {
  ...laterSpecFields,
  id: "any",
  project: "any",
  title: "",
  type: "chore",
  priority: 2,
  dependsOn: [],
  after: [],
  modifies: ["**"],
  creates: [],
  deletes: [],
  forbids: [],
  reads: [],
  verify: [],
  executor: "auto",
  estimateMinutes: 0,
  timeoutMinutes: 0,
  attempts: 1,
  allowEmpty: true,
  commit: "",
  goal: "",
  labels: [],
};

async function readSpec(file: string, say: GateOptions["say"]): Promise<TaskSpec> {
  const parsed = parseSpec({ text: await readText(file), file, defaults: { project: "any" } });
  const lines = parsed.problems.map(formatProblem);
  if (parsed.outcome === "unreadable" || hasErrors(parsed.problems)) {
    throw new FactoryError("USAGE", `${file} is no spec that can be judged by\n${lines.join("\n")}`, {
      fault: "user",
      hint: `mend it: dispatch lint ${file} says how`,
    });
  }
  for (const line of lines) say(line);
  return parsed.spec;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new FactoryError("USAGE", `the spec ${file} cannot be read`, { fault: "user", hint: "name a file with --spec", cause });
  }
}

type ChosenCommands = { run: readonly VerifyCommand[] } | { notRun: string };

function chooseCommands(commands: readonly VerifyCommand[], { run }: GateOptions): ChosenCommands {
  if (run === false) return { notRun: "no command was run (--no-run)" };
  if (commands.length > 0) return { run: commands };
  const where = `neither ${policyFile} at the base nor a spec names a verify command`;
  if (run === undefined) return { notRun: where };
  throw new FactoryError("USAGE", `there is nothing to run: ${where}`, {
    fault: "user",
    hint: `put verify: into ${policyFile} at the base, or leave --run out`,
  });
}

async function readShown(view: ChangeView, { contracts }: GatePolicy): Promise<{ changes: readonly Change[]; texts: ReadonlyMap<Oid, string> }> {
  const changes = parseDiff(await view.diff());
  return { changes, texts: await view.readBlobs(blobsToRead(changes, contracts)) };
}

async function judge(
  view: ChangeView,
  spec: TaskSpec | null,
  input: GateInput,
  chosen: ChosenCommands,
  options: RunOptions,
): Promise<Pick<GateReport, "verify" | "findings" | "gates">> {
  if ("notRun" in chosen) {
    const findings = judgeChange(input);
    const gates = chooseGates({ spec, notRun: chosen.notRun, verifyGreen: false, comparedWithBase: false, proven: false, findings });
    return { verify: [], findings, gates };
  }
  const ran = await runForGates(view, input.spec, chosen.run, options);
  const findings = judgeChange({ ...input, ...seenBy(ran) });
  const tests = findings.some(({ severity }) => severity === "block") ? [] : testsToProve(input);
  const proof =
    tests.length === 0
      ? []
      : await runOnBaseWith(
          view,
          tests.map(({ path }) => path),
          chosen.run,
          options,
        );
  const gates = chooseGates({
    spec,
    notRun: null,
    verifyGreen: ran.green,
    comparedWithBase: ran.baseline !== undefined,
    proven: proof.length > 0,
    findings,
  });
  return { verify: ran.verify, findings: [...findings, ...judgeFailToPass({ proof })], gates };
}

function seenBy({ verify, baseline, acceptance }: RanForGates): Partial<GateInput> & Pick<GateInput, "verify"> {
  return { verify, acceptance, ...(baseline === undefined ? {} : { baseline }) };
}
