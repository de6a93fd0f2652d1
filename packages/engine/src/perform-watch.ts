import { type Effect, FactoryError, type FactoryEvent, type Finding, type Project, type World } from "@dispatch/core";
import { freezeLanding } from "./freeze-landing.ts";
import { judgeCommit, type Verdict } from "./judge-commit.ts";
import type { LandingPorts } from "./ports.ts";

type WatchEffect = Extract<Effect, { do: "watch-main" }>;

const mostNamed = 5;

/**
 * Runs the tests once more on the commit that was published, beside everything else. Red counts when it is red twice in a
 * row: then landing freezes. When a newer commit was published meanwhile, the watch of that one says what there is to say.
 */
export async function watchMain(ports: LandingPorts, world: World, effect: WatchEffect): Promise<FactoryEvent[]> {
  if (watchedProject(ports, world, effect) === undefined) return [];
  const first = await judge(ports, effect, "watch");
  const verdict = first.kind === "red" ? await judge(ports, effect, "watch-again") : first;
  const project = watchedProject(ports, world, effect);
  if (project === undefined) return [];
  const watched = { type: "main-watched", project: project.id, commit: effect.commit } as const;
  if (verdict.kind === "green") return [{ ...watched, outcome: "green", findings: first.kind === "red" ? asNotes(first.findings) : [] }];
  const because = redAfterPublishing(world, effect, verdict.findings);
  return [{ ...watched, outcome: "red", findings: verdict.findings }, ...freezeLanding(project, effect.commit, because)];
}

/** The project, as long as no other commit was published since. */
function watchedProject({ settings }: Pick<LandingPorts, "settings">, world: World, { project: id, commit }: WatchEffect): Project | undefined {
  const project = world.projects.get(id);
  if (project === undefined || settings.sourceOf(id) === undefined) return undefined;
  const last = project.collect.kind === "idle" ? project.collect.last : null;
  return last?.outcome === "published" && last.commit !== commit ? undefined : project;
}

/** Throws when the machine failed the run: that says nothing of the commit, and is tried again. */
async function judge(
  ports: LandingPorts,
  { project, commit, requestedAt }: WatchEffect,
  name: "watch" | "watch-again",
): Promise<Exclude<Verdict, { kind: "broken" }>> {
  const { verify } = await ports.settings.policyAt(project, commit);
  const verdict = await judgeCommit(ports, { project, commit, verify, run: `${project}-${name}-${requestedAt}@${commit.slice(0, 12)}` });
  if (verdict.kind !== "broken") return verdict;
  throw new FactoryError("NODE_FAILED", `the tests of the published main ${commit.slice(0, 12)} did not come to an end: ${verdict.because}`, {
    fault: "dependency",
    retry: "later",
    hint: "look for what ends them: memory, or a limit of the node",
  });
}

/** Every commit of main was green before it became main, so that what is red now was not in the change. */
function redAfterPublishing(world: World, { commit }: WatchEffect, findings: readonly Finding[]): string {
  const found = findings.filter(({ severity }) => severity === "block").map((finding) => finding.found);
  const named = `${found.slice(0, mostNamed).join("; ")}${found.length > mostNamed ? ` and ${found.length - mostNamed} more` : ""}`;
  const landed = [...world.tasks.values()].some(({ state }) => state.kind === "merged" && state.commit === commit);
  const before = landed
    ? "the car that landed it was green, so that what differs is the machine, the time, or what the tests reach outside of the commit"
    : "no car of ours landed exactly this commit: it holds what origin brought";
  return `the tests are red on ${commit.slice(0, 12)} after it was published, twice: ${named}; ${before}`;
}

function asNotes(findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => ({ ...finding, severity: "note" }));
}
