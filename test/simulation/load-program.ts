import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { compileFunction } from "node:vm";
import { build } from "esbuild";
import type { Mutant } from "./mutants/mutant.ts";
import type { Outcome } from "./program.ts";

/** The simulation with all the product's code in it, in one piece that owns its event loop. */
export interface Program {
  playSeed(seed: number, tracing?: boolean): Promise<Outcome>;
  explainSeed(seed: number): Promise<readonly string[]>;
}

const root = resolve(import.meta.dirname, "../..");

/**
 * Puts the simulation and the sources of the product together, with a mutant's changes in them when one is given.
 * A change whose text is not in its file exactly once is an error.
 */
export async function bundleProgram(mutant?: Mutant): Promise<string> {
  const changes = new Map<string, Mutant["changes"]>();
  for (const change of mutant?.changes ?? []) changes.set(join(root, change.file), [...(changes.get(join(root, change.file)) ?? []), change]);
  const met = new Set<string>();
  const built = await build({
    entryPoints: [join(import.meta.dirname, "program.ts")],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "cjs",
    conditions: ["@dispatch/source"],
    legalComments: "none",
    logLevel: "silent",
    plugins: [
      {
        name: "mutant",
        setup(bundle) {
          bundle.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            const wanted = changes.get(path);
            if (wanted === undefined) return undefined;
            met.add(path);
            return { contents: mutate(await readFile(path, "utf8"), wanted), loader: "ts" };
          });
        },
      },
    ],
  });
  const missed = [...changes.keys()].filter((path) => !met.has(path));
  if (missed.length > 0) throw new Error(`mutant ${mutant?.name}: ${missed.join(", ")} is no part of the program`);
  return built.outputFiles[0]?.text ?? "";
}

function mutate(source: string, changes: Mutant["changes"]): string {
  let text = source;
  for (const { file, from, to } of changes) {
    const count = text.split(from).length - 1;
    if (count !== 1) throw new Error(`${file} holds this ${count} times, and a mutant needs it once:\n${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}

/** Makes a bundle run: without timers, dates and chance of the real world, and with an event loop of its own. */
export function openProgram(code: string): Program {
  let takeTurnEnd: (act: () => void) => void = () => {};
  const host = {
    onTurnEnd(listener: (act: () => void) => void) {
      takeTurnEnd = listener;
    },
    drain: () => new Promise<void>((done) => setImmediate(done)),
  };
  const forbidden = (name: string) =>
    new Proxy(() => {}, {
      apply: () => fail(name),
      construct: () => fail(name),
      get: () => fail(name),
    });
  const module = { exports: {} };
  const world: Record<string, unknown> = {
    module,
    exports: module.exports,
    require: createRequire(import.meta.url),
    simulationHost: host,
    setImmediate: (act: () => void) => takeTurnEnd(act),
    setTimeout: forbidden("setTimeout"),
    setInterval: forbidden("setInterval"),
    Date: forbidden("Date"),
    performance: forbidden("performance"),
    Math: Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(Math), random: { value: forbidden("Math.random") } }),
  };
  compileFunction(code, Object.keys(world), { filename: "simulation.cjs" })(...Object.values(world));
  return module.exports as Program;
}

function fail(name: string): never {
  throw new Error(`${name} was used: a simulation has no time and no chance but its own`);
}
