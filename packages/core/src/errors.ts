/** Closed list of failure codes. Renaming one is a breaking change. */
export type ErrorCode =
  | "CONFIG_INVALID"
  | "DAEMON_RUNNING"
  | "DAEMON_UNREACHABLE"
  | "DISK_FULL"
  | "EXECUTOR_UNKNOWN"
  | "FACTORY_EXISTS"
  | "FACTORY_MISSING"
  | "GIT_FAILED"
  | "LEDGER_CONFLICT"
  | "LEDGER_CORRUPT"
  | "LEDGER_VERSION"
  | "MAIN_MOVED"
  | "NODE_FAILED"
  | "NODE_UNREACHABLE"
  | "NOT_ALLOWED"
  | "NOT_FOUND"
  | "ORIGIN_CONFLICT"
  | "ORIGIN_DIRTY"
  | "ORIGIN_REFUSED"
  | "ORIGIN_UNREACHABLE"
  | "REPOSITORY_INVALID"
  | "SALVAGE_CHANGED"
  | "SESSION_FAILED"
  | "SPEC_CHANGED"
  | "SPEC_INVALID"
  | "TOOL_MISSING"
  | "USAGE";

export interface ErrorDetails {
  /** Who has to act: the person, us, or something we depend on. Default `ours`. */
  fault?: "user" | "ours" | "dependency";
  /** Whether the same call may succeed later without a change. Default `never`. */
  retry?: "never" | "later";
  /** What to do next, as a sentence a person can follow. */
  hint?: string;
  cause?: unknown;
  /** Named values for logs and `--json`. */
  facts?: Readonly<Record<string, unknown>>;
}

/**
 * The one class of failures. Expected outcomes are return values instead.
 * Callers look at `code`, never at the message and never at `instanceof`.
 */
export class FactoryError extends Error {
  readonly code: ErrorCode;
  readonly fault: "user" | "ours" | "dependency";
  readonly retry: "never" | "later";
  readonly hint: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "FactoryError";
    this.code = code;
    this.fault = details.fault ?? "ours";
    this.retry = details.retry ?? "never";
    this.hint = details.hint;
    this.facts = details.facts ?? {};
  }
}

export function isFactoryError(error: unknown): error is FactoryError {
  return error instanceof Error && error.name === "FactoryError" && "code" in error;
}

/** The code of a failure, for callers that treat one expected code and rethrow the rest. */
export function errorCode(error: unknown): ErrorCode | undefined {
  return isFactoryError(error) ? error.code : undefined;
}

/** Stops on a broken promise of the code itself: a defect, never an expected outcome. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
