import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AcceptanceResult, type CommandResult, FactoryError, hasBlocking, type TaskSpec, type VerifyCommand } from "@dispatch/core";
import { type Baseline, baselineOf, judgeVerify, meetsExpectation, needsBaseline } from "@dispatch/gates";
import type { ChangeView } from "@dispatch/git";
import { runInFolder } from "@dispatch/worker";

export interface RunOptions {
  /** Ends what runs; then its reason is thrown. */
  signal: AbortSignal;
  /** Says one line about what is done. */
  say(line: string): void;
}

/** What commands returned on head, and on its base where that had to be asked. */
export interface RanForGates {
  verify: readonly CommandResult[];
  baseline?: Baseline;
  /** Nothing is red that was not just as red on the base. */
  green: boolean;
  acceptance: readonly AcceptanceResult[];
}

const acceptanceTimeoutSeconds = 300;

/**
 * Runs the verify commands on head, on the base too where they are red, and the acceptance items where they are not:
 * in fresh checkouts that are gone afterwards.
 */
export function runForGates(view: ChangeView, spec: TaskSpec, commands: readonly VerifyCommand[], options: RunOptions): Promise<RanForGates> {
  return inCheckout(view, view.head, options, async (run) => {
    options.say(`verify on head ${view.head.slice(0, 12)}: ${commands.map((command) => command.run).join("; ")}`);
    const verify = await run(commands);
    const baseline = needsBaseline(verify) ? { baseline: await runOnBase(view, commands, options) } : {};
    const green = !hasBlocking(judgeVerify({ verify, ...baseline }));
    return { verify, ...baseline, green, acceptance: green ? await runAcceptance(spec, { commands, verify }, run) : [] };
  });
}

async function runOnBase(view: ChangeView, commands: readonly VerifyCommand[], options: RunOptions): Promise<Baseline> {
  options.say(`verify on the base ${view.from.slice(0, 12)}, for what was red there already`);
  return baselineOf(view.from, await inCheckout(view, view.from, options, (run) => run(commands)));
}

/** The verify commands on the base sources with some files of head laid over them. */
export function runOnBaseWith(
  view: ChangeView,
  paths: readonly string[],
  commands: readonly VerifyCommand[],
  options: RunOptions,
): Promise<readonly CommandResult[]> {
  return inCheckout(view, view.from, options, async (run, folder) => {
    await view.layOver(folder, paths);
    options.say(`the change's tests on the base sources ${view.from.slice(0, 12)}`);
    return run(commands);
  });
}

type RunHere = (commands: readonly VerifyCommand[]) => Promise<readonly CommandResult[]>;

async function inCheckout<T>(
  view: ChangeView,
  revision: string,
  { signal }: RunOptions,
  act: (run: RunHere, folder: string) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const scratch = await mkdtemp(join(await realpath(tmpdir()), "dispatch-gate-"));
  try {
    const root = join(scratch, "checkout");
    await mkdir(root);
    await view.checkOut(revision, root);
    return await act(async (commands) => {
      const results = await runInFolder({ root, scratch, signal }, commands);
      signal.throwIfAborted();
      return results;
    }, root);
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What verify has run already at the root is not run again. */
async function runAcceptance(
  { acceptance }: TaskSpec,
  seen: { commands: readonly VerifyCommand[]; verify: readonly CommandResult[] },
  run: RunHere,
): Promise<readonly AcceptanceResult[]> {
  const known = new Map<string, CommandResult>();
  for (const [i, command] of seen.commands.entries()) {
    const result = seen.verify[i];
    if (command.cwd === "." && result !== undefined) known.set(command.run, result);
  }
  const results: AcceptanceResult[] = [];
  for (const { id, command, expected } of acceptance) {
    const result = known.get(command) ?? (await run([{ run: command, cwd: ".", timeoutSeconds: acceptanceTimeoutSeconds, env: {} }]))[0];
    if (result === undefined) throw new FactoryError("NODE_FAILED", `the command of ${id} returned nothing`);
    known.set(command, result);
    results.push({ item: id, expected, met: meetsExpectation(expected, result).met, result });
  }
  return results;
}
