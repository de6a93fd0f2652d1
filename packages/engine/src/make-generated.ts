import {
  type BuiltCar,
  type Candidate,
  type CarInput,
  type CommandResult,
  coversAny,
  FactoryError,
  type Finding,
  type GeneratedFiles,
  generatedRef,
  invariant,
  type ProjectId,
} from "@dispatch/core";
import { endedFromOutside } from "./judge-commit.ts";
import type { LandingPorts } from "./ports.ts";

/** What came of generated files that had to be made again: the car with them, or why they could not be made. */
export type MadeAgain = { outcome: "made"; candidate: Candidate } | { outcome: "failed"; findings: readonly Finding[] };

/**
 * Has a node make the generated files of a car again, out of everything else that the car holds, and puts them into it.
 * Throws NODE_FAILED when the machine ended the command: that says nothing of the car.
 */
export async function makeGenerated(
  ports: LandingPorts,
  project: ProjectId,
  input: CarInput,
  built: BuiltCar,
  generated: readonly GeneratedFiles[],
): Promise<MadeAgain> {
  const { candidate } = built;
  invariant(candidate !== null, `car ${input.car} holds nobody`);
  const files = generated.filter(({ paths }) => built.outdated.some((path) => coversAny(paths, path)));
  const id = `${input.gateRun}+generate`;
  return await ports.gateSlots.run(id, async ({ node, bay }) => {
    const url = await ports.nodes.prepareRepository(node, project);
    await ports.repositories.sendCommit(project, candidate.commit, url);
    const { results, commit, problem } = await ports.nodes.makeGenerated(node, { id, project, commit: candidate.commit, files, bay });
    if (commit !== null) {
      const made = { commit, ref: generatedRef(bay), url };
      return { outcome: "made", candidate: await ports.repositories.takeGenerated(project, input, built, made) };
    }
    const broken = endedFromOutside(results);
    if (broken !== undefined) throw new FactoryError("NODE_FAILED", broken, { fault: "dependency", retry: "later" });
    const found = [...results.flatMap(howItFailed), ...(problem === undefined ? [] : [problem])];
    return { outcome: "failed", findings: found.map((words) => findingOf(words, built.outdated)) };
  });
}

function howItFailed({ command, outcome, exitCode, outputTail }: CommandResult): string[] {
  if (outcome === "exited" && exitCode === 0) return [];
  const how = outcome === "exited" ? `ended with ${exitCode}` : `is ${outcome}`;
  return [`\`${command}\` ${how}: ${outputTail.trimEnd().slice(-2000)}`];
}

function findingOf(found: string, outdated: readonly string[]): Finding {
  const [path] = outdated;
  return {
    gate: "landing",
    severity: "block",
    ...(path === undefined ? {} : { path }),
    found,
    why: `others changed ${outdated.join(", ")} too, so it is made again out of what lands, and that failed`,
    hint: "make it run on the merged tree; paths.generated in dispatch.yaml names the command",
  };
}
