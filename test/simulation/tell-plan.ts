import type { Plan } from "./plan.ts";
import { tellHappening } from "./simulate.ts";

/** A world in plain lines. */
export function tellPlan(plan: Plan): string[] {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return [
    `world of seed ${plan.seed}, calm from ${seconds(plan.calmAt)} on`,
    ...plan.projects.map(
      (one) => `project ${one.id}: lands ${one.landing}${one.contracts.length > 0 ? `, contract ${one.contracts.join(", ")}` : ""}`,
    ),
    ...plan.nodes.map(
      (one) =>
        `node ${one.id}: ${one.slots} slots, ${one.lostAfterMs === null ? "never lost" : `lost after ${seconds(one.lostAfterMs)}`}${one.lowPriority ? ", low priority" : ""}, labels [${one.labels.join(", ")}], ${one.capacity.cpus} cpus, ${one.capacity.memoryMb} MB, ${one.capacity.gpus} gpus${one.executors === null ? "" : `, only ${one.executors.join(", ")}`}`,
    ),
    ...plan.tasks.map(({ id, spec, fedAt }) => {
      const parts = [
        `priority ${spec.priority}`,
        `writes ${[...spec.modifies, ...spec.creates].join(", ")}`,
        spec.reads.length > 0 ? `reads ${spec.reads.join(", ")}` : "",
        spec.dependsOn.length > 0 ? `needs ${spec.dependsOn.join(", ")}` : "",
        spec.after.length > 0 ? `after ${spec.after.join(", ")}` : "",
        spec.type === "contract" ? "changes the contract" : "",
        spec.nodes.length > 0 ? `on ${spec.nodes.join(", ")}` : "",
        spec.nodeLabels.length > 0 ? `labels ${spec.nodeLabels.join(", ")}` : "",
        spec.resources.cpus + spec.resources.memoryMb + spec.resources.gpus > 0 ? `takes ${JSON.stringify(spec.resources)}` : "",
        fedAt > 0 ? `fed at ${seconds(fedAt)}` : "",
      ];
      return `task ${id}: ${parts.filter((part) => part !== "").join("; ")}`;
    }),
    ...plan.happenings.map((one) => `at ${seconds(one.at)}: ${tellHappening(one)}`),
    `calls that go wrong: ${JSON.stringify(plan.rates)}`,
    `agents: ${JSON.stringify(plan.agents)}`,
  ];
}
