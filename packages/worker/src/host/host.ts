import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { type AttemptId, type AttemptJob, FactoryError, projectIdPattern, type SessionIdentity } from "@dispatch/core";
import type { HostNotification } from "@dispatch/protocol";
import { type AttemptFiles, attemptFiles } from "../attempt-files.ts";
import { readFileIfAny } from "../durable-files.ts";
import { hasEnded, readEvents } from "../event-log.ts";
import { isAlive } from "../process/session-identity.ts";

/** What the parts of a host share. It holds nothing that is not in files, so killing it is harmless. */
export interface Host {
  home: string;
  bootId: string;
  /** Kernel start of this process. */
  since: string;
  /** Name of the tmux server of this home. */
  socket: string;
  /** This program, which is also the wrapper. */
  bundle: string;
  notify(notification: HostNotification): void;
}

export function filesOf(host: Host, attempt: unknown): AttemptFiles {
  if (typeof attempt !== "string" || !/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(attempt)) throw refuse(`not an attempt id: ${JSON.stringify(attempt)}`);
  return attemptFiles(host.home, attempt);
}

export function checkProject(project: unknown): string {
  if (typeof project !== "string" || !projectIdPattern.test(project)) throw refuse(`not a project id: ${JSON.stringify(project)}`);
  return project;
}

export function checkOid(oid: unknown): string {
  if (typeof oid !== "string" || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(oid)) throw refuse(`not a git object id: ${JSON.stringify(oid)}`);
  return oid;
}

export function refuse(message: string): FactoryError {
  return new FactoryError("USAGE", message);
}

export function readJob(files: AttemptFiles): AttemptJob | undefined {
  const text = readFileIfAny(files.job);
  return text === undefined ? undefined : (JSON.parse(text) as AttemptJob);
}

export function readIdentity(files: AttemptFiles): SessionIdentity | undefined {
  const text = readFileIfAny(files.identity);
  return text === undefined ? undefined : (JSON.parse(text) as SessionIdentity);
}

/** `unclaimed`: no wrapper yet. `over`: its end is on record. `gone`: its wrapper is dead and did not say so. */
export type Standing = { kind: "unclaimed" | "over" } | { kind: "alive" | "gone"; identity: SessionIdentity };

export function standingOf(host: Host, files: AttemptFiles): Standing {
  const identity = readIdentity(files);
  if (identity === undefined) return { kind: "unclaimed" };
  // In this order: a wrapper that ends between the two questions has left its word.
  const alive = isAlive(identity, host.bootId);
  if (hasEnded(readEvents(files.events, 0).facts)) return { kind: "over" };
  return { kind: alive ? "alive" : "gone", identity };
}

/** Makes sure that nothing of an attempt works any more; its files may be read and removed then. */
export function requireOver(host: Host, files: AttemptFiles, attempt: AttemptId): void {
  const standing = standingOf(host, files);
  if (standing.kind === "over" || standing.kind === "unclaimed") return;
  throw new FactoryError("SESSION_FAILED", `attempt ${attempt} has not ended`, { retry: "later", hint: "Wait for its end, or stop it." });
}

/** A folder that vanished must never be taken for one in which no attempt ever was. */
export function requireHome(host: Host): void {
  try {
    readdirSync(host.home);
  } catch (cause) {
    throw withoutHome(host.home, cause);
  }
}

export function withoutHome(home: string, cause: unknown): FactoryError {
  return new FactoryError("NODE_FAILED", `the node's folder cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`, {
    fault: "user",
    retry: "later",
    hint: `See on the node what became of ${home}; it goes on by itself when the folder is back.`,
    cause,
  });
}

export function bundlePath(): string {
  return resolve(process.argv[1] ?? "");
}

/** For what nobody asked for and so nobody gets as an answer; the controller logs what a host says there. */
export function complain(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
