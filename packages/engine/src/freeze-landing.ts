import type { FactoryEvent, Oid, Project } from "@dispatch/core";

/** Main is red as it is at this commit: nothing more lands, and a collect that is under way has nothing to publish. */
export function freezeLanding({ id, collect }: Pick<Project, "id" | "collect">, commit: Oid, because: string): FactoryEvent[] {
  const frozen: FactoryEvent = { type: "landing-frozen", project: id, commit, because };
  if (collect.kind === "idle") return [frozen];
  const hint =
    "mend main (dispatch revert what broke it, push a fix to origin, or change the verify command), then dispatch resume and collect again";
  return [frozen, { type: "collect-stopped", project: id, code: "MAIN_RED", because, hint }];
}
