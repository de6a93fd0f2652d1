import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["@dispatch/source"] },
  ssr: { resolve: { conditions: ["@dispatch/source"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "test/fixtures/**"],
    allowOnly: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    // Most of the time goes into waiting for git, tmux and daemons: more files than cores at once keep the cores busy.
    maxWorkers: Math.max(4, availableParallelism()),
  },
});
