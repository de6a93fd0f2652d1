import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Makes dist/worker.mjs, or the file named as argument: the whole program that runs on a node, in one file. */
await build({
  entryPoints: [fileURLToPath(new URL("./src/main.ts", import.meta.url))],
  outfile: process.argv[2] ?? fileURLToPath(new URL("./dist/worker.mjs", import.meta.url)),
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  conditions: ["@dispatch/source"],
  minifySyntax: true,
  legalComments: "none",
  logLevel: "warning",
});
