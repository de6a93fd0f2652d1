import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FactoryError, type StoredEvent, splitTaskId, type Task } from "@dispatch/core";
import type { SpecFile } from "@dispatch/engine";
import type { PutSpecRequest, PutSpecView, SpecProblem } from "@dispatch/protocol";
import { checkSpecs, digestOf, type FeedParts, readSpecText } from "./check-specs.ts";
import { compareSpecs } from "./compare-specs.ts";
import { prepareSpecFile } from "./place-spec-file.ts";
import { pickRevision, readRevisions } from "./read-revisions.ts";

export interface PutParts {
  feed: FeedParts;
  readEvents(after: number): readonly StoredEvent[];
}

/** The spec of a task as its file says now, for a retry. */
export async function readEditedSpec(parts: FeedParts, task: Task): Promise<SpecFile> {
  const { revision } = task;
  let text: string;
  try {
    text = await readFile(join(parts.dir, task.path), "utf8");
  } catch (error) {
    throw new FactoryError("NOT_FOUND", `the spec file ${task.path} cannot be read`, {
      fault: "user",
      hint: "put it back, or retry without --edited to use the spec as it was fed",
      cause: error,
    });
  }
  const { file } = await checkText(parts, task, text);
  return { ...file, base: revision };
}

/**
 * Takes a new text of a task's spec that was made from the revision `baseRevision`: file and ledger change together.
 * The text that the ledger has already is no edit and changes nothing, so that a request may be repeated. Throws
 * SPEC_CHANGED with all three texts when the spec was revised meanwhile, or when its file was edited and not fed;
 * SPEC_INVALID with the problems; NOT_ALLOWED while an attempt or a landing builds on the spec.
 *
 * The file is renamed first and the fact recorded in the same turn. Killed in between, the daemon leaves the new text in
 * the file and the old one in the ledger: neither is lost, the next feed (or retry --edited) takes it as the edit it is,
 * and the same request again goes through.
 */
export async function putSpec(parts: PutParts, task: Task, request: PutSpecRequest, by: string): Promise<PutSpecView> {
  const { feed } = parts;
  const { text, baseRevision } = request;
  const now = (): Task => feed.world.tasks.get(task.id) ?? task;
  const digest = digestOf(text);
  if (now().digest === digest) return { task: task.id, revision: now().revision, digest, changed: [], problems: [] };
  const revisions = await readRevisions(parts.readEvents, now());
  const base = pickRevision(task, revisions, baseRevision);
  const before = now();
  if (before.revision !== baseRevision) throw conflict(before, base.text, request);
  const { file, problems } = await checkText(feed, before, text);
  const prepared = await prepareSpecFile(feed.dir, before.path, { base: base.text, next: text });
  try {
    const revision = await feed.commands.revise({
      task: task.id,
      file: { ...file, base: baseRevision },
      by,
      place: prepared.place,
    });
    return { task: task.id, revision, digest, changed: compareSpecs(base.text, text, before.path), problems };
  } catch (error) {
    if (error instanceof FactoryError && error.code === "SPEC_CHANGED" && now().revision !== baseRevision) throw conflict(now(), base.text, request);
    throw error;
  } finally {
    await prepared.discard();
  }
}

/** Both texts, the one they started from, and what the other edit changed: what a person needs to make the edit again. */
function conflict(task: Task, base: string, { text, baseRevision }: PutSpecRequest): FactoryError {
  const { specId } = splitTaskId(task.id);
  const changed = compareSpecs(base, task.text, task.path);
  return new FactoryError(
    "SPEC_CHANGED",
    `spec ${specId} is at revision ${task.revision}, you edited ${baseRevision}; changed since: ${changed.join(", ") || "nothing that remains"}`,
    {
      fault: "user",
      hint: `see it with dispatch spec diff ${task.id} --from ${baseRevision}, and make your edit again on revision ${task.revision}`,
      facts: { task: task.id, revision: task.revision, baseRevision, changed, current: task.text, yours: text, base },
    },
  );
}

/** A text for a task, checked as a feed checks it. Throws SPEC_INVALID with the problems when it is not fit to run. */
async function checkText(parts: FeedParts, task: Task, text: string): Promise<{ file: SpecFile; problems: readonly SpecProblem[] }> {
  const source = parts.settings.sourceOf(task.project);
  if (source === undefined) {
    throw new FactoryError("NOT_FOUND", `project ${task.project} is not in dispatch.yaml any more`, {
      fault: "user",
      hint: `dispatch project add ${task.project} --repo PATH_OR_URL`,
    });
  }
  const read = readSpecText(task.project, { path: task.path, text });
  const { problems, fit } = await checkSpecs(parts, source, [read]);
  if (fit.length === 0 || read.parsed.outcome !== "parsed") {
    throw new FactoryError("SPEC_INVALID", `${task.path} has problems; the task was left as it is`, {
      fault: "user",
      hint: "mend the text, then try again",
      facts: { problems },
    });
  }
  const { spec } = read.parsed;
  if (spec.id !== task.spec.id || spec.project !== task.project) {
    throw new FactoryError("SPEC_CHANGED", `${task.path} now is the spec ${spec.id} of ${spec.project}`, {
      fault: "user",
      hint: `put ${task.spec.id} of ${task.project} back, or feed it as a task of its own`,
      facts: { task: task.id },
    });
  }
  return { file: { spec, digest: digestOf(text), text, path: task.path }, problems };
}
