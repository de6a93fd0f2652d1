/** A defect on purpose: exact texts of the product's sources, each to be replaced by another. */
export interface Mutant {
  name: string;
  changes: readonly { file: string; from: string; to: string }[];
  /** A seed that catches it. */
  seed: number;
}
