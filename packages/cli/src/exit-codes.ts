import type { ErrorCode } from "@dispatch/core";

/** What the process says with its exit code. Nothing else in this room names a number. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** `lint --strict` found warnings and no errors; 2 as linters have it, also for wrong usage. */
  warnings: 2,
  unreachable: 3,
  rejected: 4,
  /** `node exec` ended a command at its time limit, as timeout(1) counts it. */
  timedOut: 124,
  /** Ended by Ctrl-C, as shells count it. */
  interrupted: 130,
} as const;

const codes: Readonly<Record<ErrorCode, number>> = {
  CONFIG_INVALID: exitCodes.usage,
  DAEMON_RUNNING: exitCodes.failed,
  DAEMON_UNREACHABLE: exitCodes.unreachable,
  DISK_FULL: exitCodes.failed,
  EXECUTOR_UNKNOWN: exitCodes.usage,
  FACTORY_EXISTS: exitCodes.usage,
  FACTORY_MISSING: exitCodes.usage,
  GIT_FAILED: exitCodes.failed,
  LEDGER_CONFLICT: exitCodes.failed,
  LEDGER_CORRUPT: exitCodes.failed,
  LEDGER_VERSION: exitCodes.failed,
  MAIN_MOVED: exitCodes.failed,
  NODE_FAILED: exitCodes.failed,
  NODE_UNREACHABLE: exitCodes.failed,
  NOT_ALLOWED: exitCodes.failed,
  NOT_FOUND: exitCodes.failed,
  ORIGIN_CONFLICT: exitCodes.failed,
  ORIGIN_DIRTY: exitCodes.failed,
  ORIGIN_REFUSED: exitCodes.failed,
  ORIGIN_UNREACHABLE: exitCodes.failed,
  REPOSITORY_INVALID: exitCodes.usage,
  SALVAGE_CHANGED: exitCodes.failed,
  SESSION_FAILED: exitCodes.failed,
  SPEC_CHANGED: exitCodes.failed,
  SPEC_INVALID: exitCodes.failed,
  TOOL_MISSING: exitCodes.failed,
  USAGE: exitCodes.usage,
};

/** The exit code of a failure; a code that a newer daemon knows and we do not is a plain failure. */
export function exitCodeOf(code: string): number {
  return Object.hasOwn(codes, code) ? codes[code as ErrorCode] : exitCodes.failed;
}
