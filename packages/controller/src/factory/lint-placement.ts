import { revertExecutor, type TaskSpec } from "@dispatch/core";
import type { ParsedFile, Problem, ReadableFile } from "@dispatch/spec";
import { type NodeOffer, nodeOffer } from "../config/node-offers.ts";
import type { LiveSettings } from "../config/settings.ts";

/** FM001, where the answer is in nodes.json and in the executors: a spec that no node of this factory can ever run. */
export function lintPlacement(settings: Pick<LiveSettings, "current" | "executorOf">, files: readonly ParsedFile[]): Problem[] {
  const offers = settings.current().nodes.nodes.map(nodeOffer);
  return files.flatMap((file) => (file.parsed.outcome === "parsed" ? ofSpec(settings, offers, file as ReadableFile) : []));
}

function ofSpec(settings: Pick<LiveSettings, "executorOf">, offers: readonly NodeOffer[], file: ReadableFile): Problem[] {
  const { spec } = file.parsed;
  const executor = settings.executorOf(spec);
  const missing = executor === undefined && spec.executor === "auto" ? [noExecutor(file)] : [];
  const unknown = spec.nodes.flatMap((name, i) => (offers.some((offer) => offer.name === name) ? [] : [unknownNode(file, name, i, offers)]));
  if (missing.length > 0 || unknown.length > 0) return [...missing, ...unknown];
  const allowed = spec.nodes.length === 0 ? offers : offers.filter((offer) => spec.nodes.includes(offer.name));
  const misses = allowed.map((offer) => ({ offer, lacks: lackOf(offer, spec, executor?.name) })).filter(({ lacks }) => lacks.length > 0);
  if (misses.length < allowed.length) return [];
  const [nearest] = misses.sort((a, b) => a.lacks.length - b.lacks.length);
  const first = nearest?.lacks[0];
  if (nearest === undefined || first === undefined) return [];
  const others = misses.length === 1 ? "" : `; the other ${misses.length - 1} lack more or as much`;
  const message = `${first.part}: no node can ever run this; nearest is ${nearest.offer.name}, which has ${nearest.lacks.map((lack) => lack.text).join(", and ")}${others}`;
  return [problemAt(file, first.part, first.code, message)];
}

interface Lack {
  part: string;
  code: "F14" | "F37" | "F38";
  text: string;
}

/** Everything that keeps a spec from a node for good; what is busy now is no matter. */
function lackOf(offer: NodeOffer, spec: TaskSpec, executor: string | undefined): Lack[] {
  const { capacity } = offer;
  const lacks: Lack[] = [];
  const labels = spec.nodeLabels.filter((label) => !offer.labels.includes(label));
  if (labels.length > 0) {
    const has = offer.labels.length === 0 ? "no labels" : `the labels ${offer.labels.join(", ")}`;
    lacks.push({ part: "node_labels", code: "F38", text: `${has} but not ${labels.join(", ")}` });
  }
  if (executor !== undefined && executor !== revertExecutor && offer.executors !== null && !offer.executors.includes(executor))
    lacks.push({ part: "executor", code: "F14", text: `the executors ${offer.executors.join(", ")} but not ${executor}` });
  const wants = [
    ["cpu", spec.resources.cpus, capacity.cpus, "cores"],
    ["memory", spec.resources.memoryMb, capacity.memoryMb, "MiB of memory"],
    ["gpu", spec.resources.gpus, capacity.gpus, "gpus"],
  ] as const;
  for (const [name, asked, has, unit] of wants)
    if (asked > has) lacks.push({ part: `resources.${name}`, code: "F37", text: `${has} ${unit} where ${asked} are asked for` });
  return lacks;
}

/** A spec that leaves the choice of executor to a project that has none. */
function noExecutor(file: ReadableFile): Problem {
  const message = "the project has no executor: add one under executors in dispatch.yaml, and name it in the project or in the spec";
  return problemAt(file, "executor", "F14", message);
}

function unknownNode(file: ReadableFile, name: string, i: number, offers: readonly NodeOffer[]): Problem {
  return problemAt(file, `nodes[${i}]`, "F38", `nodes[${i}] "${name}" is not in nodes.json; it has ${offers.map((offer) => offer.name).join(", ")}`);
}

function problemAt(file: ReadableFile, part: string, code: Lack["code"], message: string): Problem {
  const { positions } = file.parsed.document;
  const place = positions.get(part) ?? positions.get(part.replace(/[.[].*$/, "")) ?? { line: 1, column: 1 };
  return { file: file.file, ...place, id: "FM001", severity: "error", code, message, field: part };
}
