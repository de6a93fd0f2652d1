import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** What the tests of the demo need of one of its specs. */
export interface DemoSpec {
  id: string;
  file: string;
  text: string;
  verify: string;
  dependsOn: readonly string[];
  modifies: readonly string[];
  creates: readonly string[];
  /** The commands of the acceptance lines, with what they must give. */
  acceptance: readonly { run: string; expected: string }[];
}

export const demoFolder = import.meta.dirname;
export const specFolder = join(demoFolder, "specs");
export const scriptFolder = join(demoFolder, "scripts");
export const fixtureFolder = join(demoFolder, "..", "fixtures", "posts-api");
export const rehearsalProgram = join(demoFolder, "..", "rehearsal", "rehearse.mjs");

/** The nine specs of the demo, by id. */
export function readDemoSpecs(): DemoSpec[] {
  return readdirSync(specFolder)
    .filter((name) => name.endsWith(".md"))
    .sort()
    .map((name) => readDemoSpec(join(specFolder, name)));
}

function readDemoSpec(file: string): DemoSpec {
  const text = readFileSync(file, "utf8");
  const [, head = "", body = ""] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text) ?? [];
  const data: Record<string, unknown> = parse(head);
  return {
    id: String(data["task_id"]),
    file,
    text,
    verify: String(data["verify"]),
    dependsOn: listOf(data["depends_on"]),
    modifies: listOf(data["modifies"]),
    creates: listOf(data["creates"]),
    acceptance: [...body.matchAll(/^- \[ \] .*?: `([^`]+)` -> (.+)$/gm)].map(([, run = "", expected = ""]) => ({ run, expected })),
  };
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Ids of everything that must be merged before a spec, itself left out, in an order that works. */
export function ancestorsOf(id: string, specs: readonly DemoSpec[]): string[] {
  const found: string[] = [];
  for (const parent of specs.find((spec) => spec.id === id)?.dependsOn ?? []) {
    for (const each of [...ancestorsOf(parent, specs), parent]) if (!found.includes(each)) found.push(each);
  }
  return found;
}
