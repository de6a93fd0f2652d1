import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["@dispatch/source"] },
  ssr: { resolve: { conditions: ["@dispatch/source"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "test/fixtures/**"],
    allowOnly: false,
    // Guards against what hangs, not measures: two cores that are shared make everything several times slower.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    // Much of the time goes into waiting for git, tmux and daemons: one file more than cores keeps the cores busy.
    maxWorkers: Math.max(3, availableParallelism()),
  },
});
