import type { TrainRecord } from "@dispatch/core";

/** Above it, (3 - sqrt 5) / 2, one run for each branch is the best there is. */
const tooBadToShare = 0.38;
const mostUnproven = 32;

/** How likely a branch of which nothing is known is bad, from those before it; one in twenty as long as there were few. */
export function expectedBad({ landed, refused }: TrainRecord): number {
  return (0.5 + refused) / (10 + refused + landed);
}

/** How many unproven branches a run takes so that it is as likely red as green and tells most. */
export function evenSize(bad: number): number {
  if (bad > tooBadToShare) return 1;
  return Math.min(mostUnproven, Math.max(1, Math.round(Math.LN2 / bad)));
}

/** How many of a group, one of which at least is bad, make a part that is as likely red as green. */
export function evenPart(members: number, bad: number): number {
  const red = (size: number): number => (1 - (1 - bad) ** size) / (1 - (1 - bad) ** members);
  let size = 1;
  while (size + 1 < members && Math.abs(red(size + 1) - 0.5) < Math.abs(red(size) - 0.5)) size++;
  return size;
}
