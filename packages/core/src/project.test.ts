import { describe, expect, it } from "vitest";
import { type LastCollect, type Project, type ProjectEvent, transitionProject } from "./project.ts";
import { emptyTrain } from "./train.ts";

const project = "shop";

function aProject(collect: Project["collect"]): Project {
  return { id: project, placing: { kind: "running" }, main: "main", landing: { kind: "open" }, collect, train: emptyTrain };
}

function after(from: Project, event: ProjectEvent) {
  const step = transitionProject(from, event, 20, []);
  if (step.outcome !== "moved") throw new Error(`${step.outcome}: ${step.because}`);
  return step;
}

const publishing = aProject({ kind: "publishing", requestedAt: 10, tasks: [] });
const published: ProjectEvent = { type: "main-published", project, commit: "main" };
const watched = (commit: string, outcome: "green" | "red"): ProjectEvent => ({ type: "main-watched", project, commit, outcome, findings: [] });
const lastOf = ({ collect }: Project): LastCollect | null | undefined => (collect.kind === "idle" ? collect.last : undefined);

describe("the watch of what was published", () => {
  it("is asked for with every publishing, also of a commit that was published before", () => {
    const { state, effects } = after(publishing, published);
    expect(effects).toEqual([{ do: "watch-main", project, commit: "main", requestedAt: 10 }]);
    expect(lastOf(state)).not.toHaveProperty("watched");
  });

  it("is kept beside the commit it is about, and nowhere else", () => {
    const { state } = after(publishing, published);
    expect(lastOf(after(state, watched("main", "red")).state)).toMatchObject({ commit: "main", watched: "red" });
    expect(lastOf(after(state, watched("older", "red")).state)).not.toHaveProperty("watched");
  });

  it("changes nothing of a collect that is under way", () => {
    expect(after(publishing, watched("main", "red")).state).toEqual(publishing);
  });
});
