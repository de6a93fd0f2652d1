import { coversAny, type Finding, type GatePolicy, type TaskSpec, type Waiver } from "@dispatch/core";

/** Makes remarks of the findings that the spec or the policy lets pass, with who says so and why. */
export function waive(findings: readonly Finding[], spec: TaskSpec, policy: GatePolicy): Finding[] {
  const waivers = [
    ...spec.waivers.map((waiver) => ({ waiver, by: "the spec" })),
    ...policy.waivers.map((waiver) => ({ waiver, by: "the project's policy" })),
  ];
  if (waivers.length === 0) return [...findings];
  return findings.map((finding) => {
    const granted = finding.severity === "block" ? waivers.find(({ waiver }) => covers(waiver, finding)) : undefined;
    if (granted === undefined) return finding;
    return { ...finding, severity: "note", why: `waived by ${granted.by}: ${granted.waiver.because}`, hint: "nothing is to be done" };
  });
}

function covers(waiver: Waiver, { gate, path }: Finding): boolean {
  return waiver.gate === gate && path !== undefined && coversAny(waiver.paths, path);
}
