import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { LongFilesFirst } from "./scripts/long-files-first.ts";

export default defineConfig({
  resolve: { conditions: ["@dispatch/source"] },
  ssr: { resolve: { conditions: ["@dispatch/source"] } },
  test: {
    exclude: ["**/node_modules/**", "**/dist/**", "test/fixtures/**"],
    allowOnly: false,
    // Guards against what hangs, not measures: two cores that are shared make everything several times slower.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: "forks",
    // Daemons, agents and gits of a file fill a core; what runs side by side inside of a file is bounded for the same reason.
    maxWorkers: availableParallelism(),
    maxConcurrency: 3,
    sequence: { sequencer: LongFilesFirst },
    projects: [
      // One process for many files: starting one and loading the same modules again takes longer than most of them.
      // Those that start programs have one each: the more a process holds, the longer it takes to start another one.
      { extends: true, test: { name: "packages", include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts"], isolate: false } },
      { extends: true, test: { name: "whole", include: ["test/**/*.test.ts"] } },
    ],
  },
});
