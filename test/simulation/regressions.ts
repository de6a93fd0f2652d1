/** Seeds whose worlds break a law with a defect that once was in the product; each also lives on as a mutant. */
export const regressions: readonly { seed: number; what: string }[] = [
  { seed: 17, what: "a node that told of an attempt long over was asked again and again for what was missing" },
  { seed: 14, what: "an attempt that its node had forgotten while the daemon lived was waited for forever" },
];
