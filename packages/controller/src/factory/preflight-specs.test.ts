import { FactoryError, type Oid } from "@dispatch/core";
import type { BaseView } from "@dispatch/git";
import { type Preflight, parseSpec, type ReadableFile } from "@dispatch/spec";
import { describe, expect, it } from "vitest";
import type { PreflightCache } from "./preflight-cache.ts";
import { type PreflightParts, preflightSpecs } from "./preflight-specs.ts";

const base: BaseView = {
  revision: "1".repeat(40),
  tree: "2".repeat(40),
  listFiles: async () => [],
  readFiles: async () => new Map(),
  checkOut: async () => {},
};

function specOf(id: string, verify: string | undefined, project = "shop"): ReadableFile {
  const file = `specs/${project}/${id}.md`;
  const line = verify === undefined ? "" : `verify: ${JSON.stringify(verify)}\n`;
  const parsed = parseSpec({ text: `---\ntask_id: ${id}\nproject: ${project}\ncreates: [a.ts]\n${line}---\n`, file });
  if (parsed.outcome !== "parsed") throw new Error(JSON.stringify(parsed.problems));
  return { file, parsed };
}

function memory(): PreflightCache & { known: Map<string, "passes" | "fails"> } {
  const known = new Map<string, "passes" | "fails">();
  const key = (tree: Oid, verify: readonly object[]): string => JSON.stringify([tree, verify]);
  return {
    known,
    get: async (tree, verify) => known.get(key(tree, verify)),
    set: async (tree, verify, outcome) => void known.set(key(tree, verify), outcome),
  };
}

function parts(run: PreflightParts["run"], change: Partial<PreflightParts> = {}): PreflightParts {
  return {
    bases: new Map([["shop", base]]),
    run,
    cache: memory(),
    say: () => {},
    signal: new AbortController().signal,
    limitMs: 1000,
    now: () => 0,
    ...change,
  };
}

describe("trying specs on the base", () => {
  it("runs each spec's own commands, at most two at once, and says how each came out", async () => {
    let atOnce = 0;
    let most = 0;
    const said: string[] = [];
    const run: PreflightParts["run"] = async (_, __, verify) => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      return verify[0]?.run === "true" ? "passes" : "fails";
    };
    const files = [
      specOf("S01-a", "true"),
      specOf("S02-b", "false"),
      specOf("S03-c", undefined),
      specOf("S04-d", "x"),
      specOf("S05-e", "y"),
      specOf("S06-f", "z", "other"),
    ];
    const found = await preflightSpecs(parts(run, { say: (line) => said.push(line) }), files);
    expect(Object.fromEntries([...found].map(([key, { outcome }]) => [key, outcome]))).toEqual({
      "shop/S01-a": "passes",
      "shop/S02-b": "fails",
      "shop/S04-d": "fails",
      "shop/S05-e": "fails",
    });
    expect([most, said.length]).toEqual([2, 4]);
  });

  it("runs what several specs share once, and what is remembered of the tree not at all", async () => {
    const ran: string[] = [];
    const run: PreflightParts["run"] = async (_, __, verify) => {
      ran.push(verify[0]?.run ?? "");
      return "fails";
    };
    const cache = memory();
    const files = [specOf("S01-a", "x"), specOf("S02-b", "x"), specOf("S03-c", "y")];
    expect((await preflightSpecs(parts(run, { cache }), files)).size).toBe(3);
    expect(ran.sort()).toEqual(["x", "y"]);
    expect((await preflightSpecs(parts(run, { cache }), files)).get("shop/S02-b")).toMatchObject({ outcome: "fails" });
    expect(ran).toHaveLength(2);
    const moved = new Map([["shop", { ...base, tree: "3".repeat(40) }]]);
    await preflightSpecs(parts(run, { cache, bases: moved }), files);
    expect(ran).toHaveLength(4);
  });

  it("bounds the time of a command, and begins nothing after its limit or an abort", async () => {
    let now = 0;
    const seconds: number[] = [];
    const run: PreflightParts["run"] = async (_, __, verify) => {
      seconds.push(verify[0]?.timeoutSeconds ?? 0);
      now += 600;
      return "fails";
    };
    const files = ["a", "b", "c", "d", "e"].map((word, i) => specOf(`S0${i}-${word}`, word));
    const outcomes = (found: Map<string, Preflight>) => [...found.values()].map(({ outcome }) => outcome).sort();
    expect(outcomes(await preflightSpecs(parts(run, { now: () => now }), files))).toEqual(["fails", "fails", "not-run", "not-run", "not-run"]);
    expect(seconds).toEqual([120, 120]);
    const aborted = AbortSignal.abort();
    expect(outcomes(await preflightSpecs(parts(run, { signal: aborted }), files))).toEqual(Array(5).fill("not-run"));
  });

  it("remembers nothing of what could not be run", async () => {
    const cache = memory();
    const run: PreflightParts["run"] = async () => {
      throw new FactoryError("NODE_UNREACHABLE", "gone");
    };
    expect((await preflightSpecs(parts(run, { cache }), [specOf("S01-a", "x")])).get("shop/S01-a")).toMatchObject({ outcome: "not-run" });
    expect(cache.known.size).toBe(0);
  });
});
