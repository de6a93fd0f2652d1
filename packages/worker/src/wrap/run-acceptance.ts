import type { AcceptanceResult, CommandResult, Finding } from "@dispatch/core";
import { meetsExpectation } from "@dispatch/gates";
import { restoreTree } from "../git/restore-tree.ts";
import { endAsText } from "../process/output-tail.ts";
import { type CommandPlace, runCommands } from "./run-verify-commands.ts";
import { throwIfStopped, waitForRoom } from "./wrapper.ts";

const timeoutSeconds = 300;
/** Kept of each output as evidence; the verify log has all of it. */
const keptBytes = 4096;

/** Runs the commands of the acceptance items on what lies in the worktree, and compares. What verify has run already is not run again. */
export async function runAcceptance(
  place: CommandPlace,
  verify: readonly CommandResult[],
): Promise<{ acceptance: readonly AcceptanceResult[]; remarks: readonly Finding[] }> {
  const { wrapper, workspace } = place;
  const atRoot = wrapper.job.verify.map((command, i) => ({ command, result: verify[i] })).filter(({ command }) => command.cwd === ".");
  const acceptance: AcceptanceResult[] = [];
  const remarks: Finding[] = [];
  let wrote = false;
  for (const { id, command, expected } of wrapper.job.spec.acceptance) {
    const known = atRoot.find((each) => each.command.run === command)?.result ?? acceptance.find((each) => each.result.command === command)?.result;
    const ran = known === undefined ? await runCommands(place, `acceptance ${id}`, [{ run: command, cwd: ".", timeoutSeconds, env: {} }]) : null;
    throwIfStopped(wrapper);
    remarks.push(...(ran?.remarks ?? []));
    wrote ||= ran !== null;
    const result = known ?? ran?.results[0];
    if (result === undefined) continue;
    const kept = { ...result, outputTail: endAsText(Buffer.from(result.outputTail), keptBytes) };
    acceptance.push({ item: id, expected, met: meetsExpectation(expected, result).met, result: kept });
  }
  if (wrote) await waitForRoom(wrapper, () => restoreTree(workspace));
  return { acceptance, remarks };
}
