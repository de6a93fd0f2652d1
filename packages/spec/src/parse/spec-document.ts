import type { Positions } from "../file-text.ts";
import type { AcceptanceItem } from "./parse-acceptance.ts";
import type { QaScenario } from "./parse-scenarios.ts";
import type { Section } from "./split-sections.ts";

export interface Assumption {
  text: string;
  reversible: boolean;
  source: string | null;
}

/** Where a spec came from, written by the splitter. */
export interface SpecSource {
  file: string;
  lines: string | null;
  sha256: string | null;
}

/** Everything of a spec file that is not in `TaskSpec`: what prompts, reviews and later rules read. */
export interface SpecDocument {
  tier: "cheap" | "standard" | "strong";
  skills: readonly string[];
  context: readonly string[];
  acceptance: readonly AcceptanceItem[];
  qa: readonly QaScenario[];
  /** Files or folders below `evidence/`. */
  evidence: readonly string[];
  /** Only the kinds that the spec names; the project's policy decides the others. */
  testsMin: Readonly<Partial<Record<"unit" | "ui" | "e2e", number>>>;
  requires: readonly string[];
  questions: readonly string[];
  assumptions: readonly Assumption[];
  /** null: follows from the priority. */
  review: "none" | "sample" | "model" | "human" | null;
  checkpoint: "none" | "before" | "after";
  network: boolean | readonly string[];
  /** Names of environment variables, never values. */
  env: readonly string[];
  parent: string | null;
  source: SpecSource | null;
  lang: "zh" | "en";
  /** The `x-*` fields, untouched. */
  x: Readonly<Record<string, unknown>>;
  /** Text of the sections with a known meaning; empty when the file has none. Several of a kind are joined. */
  constraints: string;
  doNot: string;
  plan: string;
  /** The level-1 heading. */
  heading: string | null;
  preamble: string;
  /** All sections in the order of the file, with the unknown ones. */
  sections: readonly Section[];
  /** Fields that were typed in the file, also those with problems. */
  given: ReadonlySet<string>;
  positions: Positions;
}
