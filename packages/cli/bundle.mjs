import { readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const outdir = fileURLToPath(new URL("./dist/bundle", import.meta.url));
const keptMs = 30 * 24 * 3600 * 1000;

/**
 * Makes dist/bundle/dispatch.js and its chunks: the program `dispatch` in few files, because reading and linking 860 modules
 * takes a daemon most of the time it needs to come up. A command still loads only its own chunk.
 */
const { metafile } = await build({
  entryPoints: [{ in: fileURLToPath(new URL("./src/main.ts", import.meta.url)), out: "dispatch" }],
  outdir,
  bundle: true,
  splitting: true,
  platform: "node",
  target: "node20",
  format: "esm",
  conditions: ["@dispatch/source"],
  // What loads native code or files of its own stays a package.
  external: ["better-sqlite3", "ssh2", "pino"],
  // Bundled CommonJS asks for Node's own modules by require.
  banner: { js: 'import { createRequire as makeRequire } from "node:module";\nconst require = makeRequire(import.meta.url);' },
  minifySyntax: true,
  sourcemap: "linked",
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
});

// Chunks are named by what they hold. A daemon that was started before finds those it has not loaded yet for a month more.
const made = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
for (const name of readdirSync(outdir)) {
  const path = join(outdir, name);
  if (!made.has(name) && Date.now() - statSync(path).mtimeMs > keptMs) rmSync(path);
}
