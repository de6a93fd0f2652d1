import type { RecoverableAttempt, RecoveryView } from "@dispatch/controller";
import { ageText, plural, shortOid } from "./figures.ts";
import { oneLine } from "./text-width.ts";
import type { View } from "./view.ts";

/** Every attempt of a task, why it did not land, and what the hub holds of it. */
export function recoveryLines(recovery: RecoveryView, view: View): string[] {
  const { paint } = view;
  const lines = [`${paint.strong(recovery.task)}  ${recovery.state ?? "unknown to the ledger"}; its work is in ${recovery.hub}`];
  if (recovery.attempts.length === 0) return [...lines, "no attempt was made yet"];
  for (const attempt of recovery.attempts) lines.push("", ...attemptLines(attempt, view));
  const [newest] = recovery.attempts.filter(({ whole }) => whole !== null).slice(-1);
  if (newest !== undefined) {
    const command = `dispatch recover ${recovery.task} --attempt ${newest.n}`;
    lines.push("", paint.faint(`try: ${command} --to ${newest.branch}   (a branch in the project's repository; --into DIR in another clone)`));
    lines.push(paint.faint(`     ${command} --patch   (the same as a patch)`));
  }
  return lines;
}

function attemptLines(attempt: RecoverableAttempt, view: View): string[] {
  const { paint } = view;
  const ended = attempt.endedAt === null ? "" : `, ended ${ageText(attempt.endedAt, view.now)} ago`;
  const base = attempt.base === null ? "" : ` from ${shortOid(attempt.base)}`;
  const lines = [`attempt ${attempt.n}  ${(attempt.landed ? paint.good : paint.warn)(attempt.state)}${base}${ended}: ${oneLine(attempt.because)}`];
  for (const { ref, commit, size } of attempt.held) {
    const whole = ref === attempt.whole?.ref && attempt.held.length > 1 ? " (all of it)" : "";
    const told = size === null ? paint.bad("cannot be read") : `${plural(size.commits, "commit")}, ${plural(size.files, "file")} changed`;
    lines.push(`  ${ref}  ${shortOid(commit)}  ${told}${whole}`);
  }
  if (attempt.held.length === 0 && attempt.pruned.length === 0) lines.push("  the hub holds nothing of it");
  for (const { ref, commit, because } of attempt.pruned) lines.push(`  let go of ${ref}  ${commit}: ${oneLine(because)}`);
  return lines;
}
