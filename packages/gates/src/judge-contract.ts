import { type ContractAnchor, changedAnchors, coversAny, type Finding, missingExamples, type Oid, readMarkdownContract } from "@dispatch/core";
import type { Change } from "./change.ts";
import { quoteLine } from "./clean-output.ts";
import type { GateInput } from "./policy.ts";

/**
 * G14: only a spec of type `contract` changes the shared contract, and every entry it adds or changes shows request and
 * response as JSON. Entries are looked for in Markdown; OpenAPI is judged where specs cite it.
 */
export function judgeContract({ spec, changes, policy, texts }: Pick<GateInput, "spec" | "changes" | "policy" | "texts">): Finding[] {
  return contractChanges(changes, policy.contracts).flatMap((change): Finding[] => {
    if (spec.type !== "contract") return [foreign(change, spec.type)];
    return isMarkdown(change.path) && change.kind !== "deleted" ? judgeEntries(change, texts) : [];
  });
}

/** Blobs whose whole texts G14 compares. */
export function contractsToRead(changes: readonly Change[], contracts: readonly string[]): Oid[] {
  return contractChanges(changes, contracts)
    .filter(({ path, kind }) => isMarkdown(path) && kind !== "deleted")
    .flatMap(({ oldOid, newOid }) => [oldOid, newOid]);
}

function contractChanges(changes: readonly Change[], contracts: readonly string[]): Change[] {
  return changes.filter(({ path }) => coversAny(contracts, path));
}

function isMarkdown(path: string): boolean {
  return /\.(?:md|markdown)$/i.test(path);
}

function foreign({ path, kind }: Change, type: string): Finding {
  return {
    gate: "G14",
    severity: "block",
    path: quoteLine(path),
    found: `the shared contract was ${kind === "added" || kind === "deleted" ? kind : "changed"} by a spec of type ${type}`,
    why: "others build on the contract at this moment; it changes by a spec of its own that runs alone",
    hint: "put it back as it was at the base, and build on what it says; what it lacks is for the lead to order in a spec of type contract",
  };
}

function judgeEntries(change: Change, texts: ReadonlyMap<Oid, string>): Finding[] {
  const text = texts.get(change.newOid);
  if (text === undefined) return [entryFinding(change, undefined, "the contract cannot be read as text")];
  const after = readMarkdownContract(text);
  const before = readMarkdownContract(texts.get(change.oldOid) ?? "");
  const { added, changed } = changedAnchors(before, after);
  const touched = new Set([...added, ...changed]);
  const bare = after.anchors.filter(({ anchor }) => touched.has(anchor)).flatMap((entry) => withoutExamples(change, entry));
  const lines = new Set(change.addedLines.map(({ line }) => line));
  return [
    ...bare,
    ...after.problems.filter(({ line }) => lines.has(line) || lines.has(line + 1)).map(({ line, message }) => entryFinding(change, line, message)),
  ];
}

function withoutExamples(change: Change, entry: ContractAnchor): Finding[] {
  const missing = missingExamples(entry);
  return missing === "" ? [] : [entryFinding(change, entry.line, `${quoteLine(entry.anchor)} has no ${missing} example`)];
}

function entryFinding({ path }: Change, line: number | undefined, found: string): Finding {
  return {
    gate: "G14",
    severity: "block",
    path: quoteLine(path),
    ...(line === undefined ? {} : { line }),
    found,
    why: "agents on both sides build on the examples alone; what is not shown is guessed twice",
    hint: "show request and response of the entry in ```json blocks below its heading, each behind the word Request or Response",
  };
}
