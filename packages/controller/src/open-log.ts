import type { Log } from "@dispatch/core";
import { isFactoryError } from "@dispatch/core";
import { destination, pino } from "pino";

/** Structured lines for operators, appended to a file. Errors keep code and hint; nothing secret is logged. */
export function openLog(file: string): Log & { close(): void } {
  const sink = destination({ dest: file, append: true, mkdir: true, sync: true });
  // A log is for people; a full disk must not end the work it tells of.
  sink.on("error", () => {});
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, level: "info", serializers: { error: describeError } }, sink);
  return {
    debug: (facts, message) => logger.debug(facts, message),
    info: (facts, message) => logger.info(facts, message),
    warn: (facts, message) => logger.warn(facts, message),
    error: (facts, message) => logger.error(facts, message),
    close: () => sink.end(),
  };
}

function describeError(error: unknown): unknown {
  if (isFactoryError(error)) return { code: error.code, message: error.message, hint: error.hint, facts: error.facts };
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack };
  return error;
}
