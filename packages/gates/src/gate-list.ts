import type { GateId } from "@dispatch/core";

/** A gate as lists and reports name it. */
export interface GateName {
  id: GateId;
  name: string;
  /** When it is red, in one line. */
  redWhen: string;
}

const words: Readonly<Record<GateId, readonly [name: string, redWhen: string]>> = {
  G01: ["verify", "a verify command does not end by itself with 0, or its known runner ran no test"],
  G02: ["placeholder", "an added line says that work is left, or a body is a stub"],
  G03: ["scope", "a path outside of modifies, creates and deletes was touched, or a link leaves the repository"],
  G04: ["empty", "nothing was changed and the spec does not allow that"],
  G05: ["tampering", "tests or checks hold the code to less than before"],
  G06: ["protected", "a path that decides what is run, tested or trusted was touched"],
  G07: ["markers", "a conflict marker was added"],
  G08: ["secrets", "a credential was added"],
  G09: ["weight", "a binary, a product of a tool, a tree of others, or a file larger than the policy allows was added"],
  G10: ["fail to pass", "none of a feature's or bugfix's tests fails on the base sources"],
  G11: ["number of tests", "fewer unit, ui or e2e tests ran than the spec or the policy demands"],
  G12: ["acceptance", "the command of an acceptance item did not return what the item expects"],
  G13: ["evidence", "a declared scenario left no evidence file, or an empty one"],
  G14: ["contract", "the shared contract was changed by a spec of another type, or one of its entries shows no request or response"],
  G15: ["baseline", "a test that passed on the base fails now"],
};

/** All gates, in the order of their numbers. */
export const gateList: readonly GateName[] = Object.entries(words).map(([id, [name, redWhen]]) => ({ id: id as GateId, name, redWhen }));
