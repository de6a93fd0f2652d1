import { coversAny, isGlob, type Oid, type ProjectId, type TaskSpec } from "@dispatch/core";
import { type Citation, type ContractTexts, compareContracts, type EntryChange, parseCitation } from "./contract-entries.ts";
import type { EnginePorts } from "./ports.ts";

type Ports = Pick<EnginePorts, "repositories" | "settings">;

/** The contract files of a project in one revision, and the files beside them that a spec cites. Asks git nothing when there are none. */
export async function readContract(ports: Ports, project: ProjectId, revision: Oid, cited: readonly Citation[] = []): Promise<ContractTexts> {
  const patterns = ports.settings.scheduling().get(project)?.contracts ?? [];
  const plain = patterns.filter((pattern) => !isGlob(pattern));
  const named = [...new Set([...plain, ...cited.map((citation) => citation.file)])];
  const texts = new Map(named.length === 0 ? [] : await ports.repositories.readFiles(project, revision, named));
  // A plain pattern that is no file may be a folder.
  const open = patterns.filter((pattern) => !texts.has(pattern));
  if (open.length === 0) return texts;
  const below = (await ports.repositories.listFiles(project, revision)).filter((path) => !texts.has(path) && coversAny(open, path));
  for (const [path, text] of await ports.repositories.readFiles(project, revision, below)) texts.set(path, text);
  return texts;
}

/** How the contract of a project differs between two of its revisions. */
export async function contractBetween(
  ports: Ports,
  project: ProjectId,
  range: { from: Oid; to: Oid },
  cited: readonly Citation[] = [],
): Promise<EntryChange[]> {
  if (range.from === range.to) return [];
  const before = await readContract(ports, project, range.from, cited);
  return compareContracts(before, await readContract(ports, project, range.to, cited));
}

export function citationsOf(spec: TaskSpec): Citation[] {
  return spec.contract.map(parseCitation);
}
