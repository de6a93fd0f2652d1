import { FactoryError } from "@dispatch/core";

/** A full disk as a failure that says what to do; everything else as it is. */
export function classifySystemError(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || (error.code !== "ENOSPC" && error.code !== "EDQUOT")) return error;
  return new FactoryError("DISK_FULL", `the disk of the factory is full: ${error.message}`, {
    fault: "user",
    hint: "make room on the disk, then try again; nothing that was acknowledged is lost",
    cause: error,
  });
}
